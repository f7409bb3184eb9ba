import OAuth
import OAuthStore

/// Where operators prove who they are: limited as accounts are, on threads of its own, so that no flood of customers'
/// sign-ins keeps an operator out.
struct OperatorDesk: Sendable {
    /// For who is signed in, invited, or in a browser that knows them.
    let passwords: PasswordHasher
    /// For everybody else: strangers who guess fill their own queue only.
    private let strangers: PasswordHasher
    private let store: Store
    private let turns = Turns(limit: 256)
    private let accountLimit: AttemptLimit
    private let addressLimit: AttemptLimit

    /// What became of a proof.
    enum Outcome: Sendable {
        /// The password is right.
        case proved(Operator, passwordHash: String, SettledAttempt)
        /// The address or the password is wrong, or the operator is disabled.
        case wrong
        /// Too many have failed: none is looked at before that instant.
        case blocked(until: Instant)
        /// Too many passwords are being checked at this moment.
        case busy
    }

    init(store: Store, settings: Settings) {
        self.store = store
        accountLimit = settings.accountLimit
        addressLimit = settings.addressLimit
        passwords = PasswordHasher(threads: 1, waiting: 20)
        strangers = PasswordHasher(threads: 1, waiting: 20)
    }

    /// Checks an address and a password.
    ///
    /// - Parameters:
    ///   - email: what the operator typed.
    ///   - password: what the operator typed.
    ///   - known: what tells the operator from strangers, a browser that has signed in before or a session: it waits for its own
    ///     failures only, and not behind strangers.
    ///   - address: the network address that the request comes from.
    ///   - now: the time of the request.
    /// - Returns: who it is, or why nobody.
    /// - Throws: `SQLError` when the database fails, or what hashing a password throws.
    func check(
        email: String,
        password: Secret,
        known: [UInt8]?,
        address: String,
        now: Instant
    ) async throws -> Outcome {
        let counted = AttemptSubjects(.operator, email: email, device: known, address: address)
        do {
            return try await turns.inTurn(of: counted.account) {
                try await (known == nil ? strangers : passwords).queued { place throws in
                    let attempts = counted.limited(account: accountLimit, address: addressLimit)
                    if let until = try await store.takeAttempts(attempts, now: now) { return .blocked(until: until) }
                    let found = try await store.operatorCredentials(typed: email)
                    let verdict = try await place.check(password, against: found?.passwordHash ?? Argon2id.ofNobody)
                    guard let found, verdict != .wrong, found.account.disabledAt == nil else { return .wrong }
                    return .proved(found.account, passwordHash: found.passwordHash, counted.settled(wasRight: true))
                }
            } ?? .busy
        } catch is PasswordHasher.Busy {
            return .busy
        }
    }

    /// How many passwords are being hashed or wait for it.
    var inside: Int { passwords.inside + strangers.inside }

    /// How many were refused because too many waited.
    var refusals: UInt64 { passwords.refusals + strangers.refusals }

    func shutDown() async {
        await passwords.shutDown()
        await strangers.shutDown()
    }
}
