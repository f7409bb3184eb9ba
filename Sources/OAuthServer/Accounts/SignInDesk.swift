import Crypto
import OAuth
import OAuthStore

/// Where people prove who they are: limits first, then the password, in a time that does not tell who has an account.
struct SignInDesk: Sendable {
    private let store: Store
    private let passwords: PasswordHasher
    private let turns: Turns
    private let accountLimit: AttemptLimit
    private let addressLimit: AttemptLimit
    private let deviceKey: SymmetricKey

    /// What became of a sign-in.
    enum Outcome: Sendable {
        /// The person is who they say.
        case signedIn(Account, settled: SettledAttempt)
        /// The address or the password is wrong.
        case wrong
        /// The password is right, but an operator has disabled the account.
        case disabled
        /// Too many have failed: none is looked at before that instant.
        case blocked(until: Instant)
        /// Too many people sign in at this moment.
        case busy
    }

    init(store: Store, settings: Settings, deviceKey: SymmetricKey) {
        self.store = store
        passwords = PasswordHasher(threads: settings.passwordThreads)
        turns = Turns()
        accountLimit = settings.accountLimit
        addressLimit = settings.addressLimit
        self.deviceKey = deviceKey
    }

    func shutDown() async {
        await passwords.shutDown()
    }

    /// Checks an address and a password.
    ///
    /// - Parameters:
    ///   - email: what the person typed.
    ///   - password: what the person typed.
    ///   - device: a browser that has signed in before; to its own accounts it is not blocked by strangers' failures.
    ///   - address: the network address that the request comes from.
    ///   - now: the time of the request.
    /// - Returns: who signed in, or why nobody did.
    /// - Throws: `SQLError` when the database fails, or what hashing a password throws.
    func check(
        email: String,
        password: Secret,
        device: KnownDevice?,
        address: String,
        now: Instant
    ) async throws -> Outcome {
        let known = device.flatMap { $0.knows(email) ? $0.id : nil } ?? []
        let subject = Self.subject("account", Array(email.lowercased().utf8) + [0] + known)
        // One at a time for an account: what is evaluated at once is never refused for being counted already, and a
        // flood on one account cannot take the threads of all others.
        guard await turns.take(subject) else { return .busy }
        let outcome: Outcome
        do {
            outcome = try await evaluate(email, password, subject, Self.subject("address", Array(address.utf8)), now)
        } catch {
            await turns.pass(subject)
            if error is PasswordHasher.Busy { return .busy }
            throw error
        }
        await turns.pass(subject)
        return outcome
    }

    private func evaluate(
        _ email: String,
        _ password: Secret,
        _ account: [UInt8],
        _ address: [UInt8],
        _ now: Instant
    ) async throws -> Outcome {
        let attempts = [(address, addressLimit), (account, accountLimit)]
        if let until = try await store.takeAttempts(attempts, now: now) { return .blocked(until: until) }
        let credentials = try await store.credentials(email: email)
        let verdict: PasswordHasher.Verdict
        do {
            verdict = try await passwords.check(password, against: credentials?.passwordHash)
        } catch {
            try await store.settle(SettledAttempt(account: account, address: address, wasRight: false))
            throw error
        }
        guard verdict != .wrong, let credentials else { return .wrong }
        if verdict == .rightButWeak, let old = credentials.passwordHash {
            let new = try await passwords.hash(password)
            try await store.upgradePasswordHash(credentials.account.id, from: old, to: new)
        }
        let settled = SettledAttempt(account: account, address: address, wasRight: true)
        guard credentials.account.disabledAt == nil else {
            try await store.settle(settled)
            return .disabled
        }
        return .signedIn(credentials.account, settled: settled)
    }

    /// What the database counts by: it does not learn the addresses themselves.
    private static func subject(_ kind: String, _ text: [UInt8]) -> [UInt8] {
        Array(SHA256.hash(data: Array(kind.utf8) + [0] + text).prefix(16))
    }

    // MARK: Known devices

    /// Reads the cookie of a browser that has signed in before.
    func device(_ cookie: String?) -> KnownDevice? {
        cookie.flatMap { KnownDevice($0, key: deviceKey) }
    }

    /// The cookie by which a browser is known after a sign-in.
    func cookie(for device: KnownDevice?, adding email: String, random: [UInt8]) throws -> String {
        try KnownDevice(device, adding: email, random: random).sealed(id: random, key: deviceKey)
    }
}

/// A browser that has signed in before, and to which accounts: a stranger's failures do not make it wait.
struct KnownDevice: Sendable, Equatable {
    /// Which browser this is: its own failures are counted by it.
    let id: [UInt8]
    private let accounts: [[UInt8]]

    private static let version: UInt8 = 1
    /// How many accounts a browser is remembered for.
    private static let limit = 8

    init(_ device: KnownDevice?, adding email: String, random: [UInt8]) {
        id = device?.id ?? random
        let account = Self.mark(email)
        accounts = Array(([account] + (device?.accounts ?? []).filter { $0 != account }).prefix(Self.limit))
    }

    init?(_ cookie: String, key: SymmetricKey) {
        guard let sealed = SealedText.open(Array(cookie.utf8), keys: [key]),
            var content = FieldReader(sealed.content, version: Self.version), let id = content.bytes()
        else { return nil }
        self.id = id
        var accounts: [[UInt8]] = []
        while let account = content.bytes() { accounts.append(account) }
        self.accounts = accounts
    }

    func knows(_ email: String) -> Bool { accounts.contains(Self.mark(email)) }

    func sealed(id sealID: [UInt8], key: SymmetricKey) throws -> String {
        var content = FieldWriter(version: Self.version)
        content.write(id)
        for account in accounts { content.write(account) }
        return try SealedText.seal(content.bytes, id: sealID, key: key)
    }

    private static func mark(_ email: String) -> [UInt8] {
        Array(SHA256.hash(data: Array(email.lowercased().utf8)).prefix(8))
    }
}
