/// What an operator says of a new key, checked.
public struct NewAPIKey: Sendable, Equatable {
    /// What people call it.
    public let name: String
    /// Whom it speaks for; nil for a key of the company itself.
    public let account: AccountID?
    /// What it allows.
    public let scope: Scope
    /// Which APIs it is for, each once; empty for the default one.
    public let audiences: [String]

    /// The longest name.
    public static let nameLimit = 200
    /// The most APIs that one key is for.
    public static let audienceLimit = 10

    /// Checks what an operator says.
    ///
    /// - Parameters:
    ///   - name: 1 to 200 characters in one line.
    ///   - account: whom the key speaks for; nil for the company itself.
    ///   - scopes: what it allows, by name.
    ///   - audiences: the identifiers of the APIs that it is for; none for the default one.
    /// - Throws: `RegistrationError` with a sentence for the operator.
    public init(
        name: String,
        account: AccountID? = nil,
        scopes: [String] = [],
        audiences: [String] = []
    ) throws(RegistrationError) {
        guard !name.allSatisfy(\.isWhitespace), name.count <= Self.nameLimit,
            !name.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
        else {
            throw RegistrationError("a key's name must be 1 to \(Self.nameLimit) characters in one line", about: .name)
        }
        guard audiences.count <= Self.audienceLimit, audiences.allSatisfy(Client.isAudience) else {
            throw RegistrationError(
                "a key is for at most \(Self.audienceLimit) audiences, each an absolute URI without a fragment "
                    + "(RFC 8707 section 2)",
                about: .audiences
            )
        }
        scope = try Scope(registering: scopes)
        self.name = name
        self.account = account
        self.audiences = audiences.enumerated().filter { !audiences[..<$0].contains($1) }.map(\.element)
    }
}
