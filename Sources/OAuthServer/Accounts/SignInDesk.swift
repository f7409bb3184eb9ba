import Crypto
import OAuth
import OAuthStore

/// Where people prove who they are: limits first, then the password, in a time that does not tell who has an account.
struct SignInDesk: Sendable {
    private let store: Store
    let passwords: PasswordHasher
    private let sources: AccountSources
    /// The company's own endpoint, where there is one.
    private let endpoint: LoginEndpoint?
    private let turns: Turns
    private let accountLimit: AttemptLimit
    private let addressLimit: AttemptLimit
    private let deviceKey: SymmetricKey
    private let random: @Sendable (Int) -> [UInt8]

    /// What became of a sign-in.
    enum Outcome: Sendable {
        /// The person is who they say: a session may start.
        case signedIn(ProvedSignIn)
        /// The address or the password is wrong.
        case wrong
        /// The password is right, but an operator has disabled the account.
        case disabled
        /// Too many have failed: none is looked at before that instant.
        case blocked(until: Instant)
        /// Too many people sign in at this moment.
        case busy
        /// Where the account lives nobody answers: nothing was decided, and nothing counted.
        case unavailable(reason: String)
    }

    /// Opens a desk, with threads of its own unless it is given `passwords`.
    init(
        store: Store,
        settings: Settings,
        deviceKey: SymmetricKey,
        random: @escaping @Sendable (Int) -> [UInt8],
        passwords: PasswordHasher? = nil
    ) {
        self.store = store
        self.passwords =
            passwords ?? PasswordHasher(threads: settings.passwordThreads, waiting: settings.passwordQueue)
        sources = settings.accounts
        endpoint = settings.accounts.loginEndpoint.map(LoginEndpoint.init)
        turns = Turns(limit: settings.passwordQueue)
        accountLimit = settings.accountLimit
        addressLimit = settings.addressLimit
        self.deviceKey = deviceKey
        self.random = random
    }

    func shutDown() async {
        await passwords.shutDown()
        await endpoint?.shutDown()
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
        let counted = AttemptSubjects(
            .customer,
            email: email,
            device: device.flatMap { $0.knows(.customer(email)) ? $0.id : nil },
            address: address
        )
        return try await inTurn(of: counted) {
            if let endpoint = try await responsible(for: email) {
                return try await ask(endpoint, email, password, counted, now)
            }
            // The place comes before the count: who finds the queue full has not failed.
            return try await passwords.queued { place throws in
                try await evaluate(email, password, counted, place, now)
            }
        }
    }

    /// Checks the password of somebody who is signed in already, before they change it.
    ///
    /// Their wrong passwords are counted for this session alone: whoever sits down at somebody's open browser cannot guess
    /// on, and keeps nobody from signing in elsewhere.
    /// - Returns: as `check`.
    /// - Throws: as `check`.
    func prove(_ password: String, of session: Session, now: Instant) async throws -> Outcome {
        let email = session.account.email
        let counted = AttemptSubjects(.customer, email: email, device: session.digest.bytes, address: "")
        let outcome = try await inTurn(of: counted) {
            try await passwords.queued { place throws in
                try await evaluate(email, Secret(password), counted, place, now)
            }
        }
        // The address may have changed hands since the session was read.
        if case .signedIn(let proved) = outcome, proved.account.id != session.account.id { return .wrong }
        return outcome
    }

    /// One at a time for an account: what is evaluated at once is never refused for being counted already, and a flood on
    /// one account cannot take the threads of all others.
    private func inTurn(of counted: AttemptSubjects, _ body: () async throws -> Outcome) async throws -> Outcome {
        do {
            return try await turns.inTurn(of: counted.account, body) ?? .busy
        } catch is PasswordHasher.Busy {
            return .busy
        }
    }

    /// The endpoint, when it and not this database decides about an address.
    private func responsible(for email: String) async throws(SQLError) -> LoginEndpoint? {
        switch sources {
        case .own: nil
        case .loginEndpoint: endpoint
        case .both: try await store.credentials(typed: email) == nil ? endpoint : nil
        }
    }

    /// Takes an attempt of each whose attempts are counted.
    /// - Returns: until when none is looked at; nil when this one may be.
    private func take(_ counted: AttemptSubjects, _ now: Instant) async throws(SQLError) -> Instant? {
        try await store.takeAttempts(counted.limited(account: accountLimit, address: addressLimit), now: now)
    }

    /// Lets the company's endpoint decide; all that it refuses is a failure, and what it could not decide is none.
    private func ask(
        _ endpoint: LoginEndpoint,
        _ email: String,
        _ password: Secret,
        _ counted: AttemptSubjects,
        _ now: Instant
    ) async throws -> Outcome {
        if let until = try await take(counted, now) { return .blocked(until: until) }
        let outcome: Outcome
        switch await endpoint.ask(email: email, password: password, now: now) {
        case .known(let person):
            let account = try await store.adopt(person, as: AccountID(random: random), now: now)
            let attempt = counted.settled(wasRight: true)
            guard account.disabledAt == nil else {
                try await store.settle(attempt, now: now)
                return .disabled
            }
            return .signedIn(ProvedSignIn(account: account, proof: .source(person.source), attempt: attempt))
        // Whoever was asked and said no has counted it: a guesser reaches the endpoint no more often than the limit.
        case .wrong: return .wrong
        case .disabled: return .disabled
        case .blocked(let until): return .blocked(until: until)
        // What nobody was asked is no failure.
        case .paused(let until): outcome = .blocked(until: until)
        case .busy: outcome = .busy
        case .unavailable(let reason): outcome = .unavailable(reason: reason)
        }
        try await store.settle(counted.settled(wasRight: false), now: now)
        return outcome
    }

    private func evaluate(
        _ email: String,
        _ password: Secret,
        _ counted: AttemptSubjects,
        _ place: PasswordHasher.Place,
        _ now: Instant
    ) async throws -> Outcome {
        if let until = try await take(counted, now) { return .blocked(until: until) }
        let proof: (account: Account, passwordHash: String)?
        do {
            proof = try await prove(email, password, place)
        } catch {
            try await store.settle(counted.settled(wasRight: false), now: now)
            throw error
        }
        guard let proof else { return .wrong }
        let attempt = counted.settled(wasRight: true)
        guard proof.account.disabledAt == nil else {
            try await store.settle(attempt, now: now)
            return .disabled
        }
        let hash = SignInProof.passwordHash(proof.passwordHash)
        return .signedIn(ProvedSignIn(account: proof.account, proof: hash, attempt: attempt))
    }

    /// The account whose password this is, and the hash that proves it; nil when there is none.
    private func prove(
        _ email: String,
        _ password: Secret,
        _ place: PasswordHasher.Place
    ) async throws -> (account: Account, passwordHash: String)? {
        let credentials = try await store.credentials(typed: email)
        let verdict = try await place.check(password, against: credentials?.passwordHash ?? Argon2id.ofNobody)
        guard verdict != .wrong, let account = credentials?.account, let old = credentials?.passwordHash else {
            return nil
        }
        guard verdict == .rightButWeak else { return (account, old) }
        let new = try await place.hash(password)
        if try await store.upgradePasswordHash(account.id, from: old, to: new) { return (account, new) }
        // Another node was faster, or the password was changed meanwhile: what counts is the hash of now.
        guard let current = try await store.credentials(typed: email), current.account.id == account.id,
            let hash = current.passwordHash, try await place.check(password, against: hash) != .wrong
        else { return nil }
        return (current.account, hash)
    }

    /// The hash of a new password.
    /// - Throws: `PasswordHasher.Busy`, and what hashing throws.
    func hash(_ password: Secret) async throws -> String {
        try await passwords.hash(password)
    }

    // MARK: Known devices

    /// Reads the cookie of a browser that has signed in before.
    func device(_ cookie: String?) -> KnownDevice? {
        cookie.flatMap { KnownDevice($0, key: deviceKey) }
    }

    /// The cookie by which a browser is known.
    func cookie(for device: KnownDevice, random: [UInt8]) throws -> String {
        try device.sealed(id: random, key: deviceKey)
    }
}
