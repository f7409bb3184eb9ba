/// Which members a client's token responses have (RFC 6749 §5.1), in order: made once, when the client is loaded.
public struct TokenResponseShape: Sendable, Equatable {
    /// What a member says.
    public enum Value: String, Sendable, CaseIterable {
        case accessToken = "access_token"
        /// Always `Bearer`.
        case tokenType = "token_type"
        /// How many seconds the access token lives: an integer. Left out when it never expires.
        case expiresIn = "expires_in"
        /// When it ends, in seconds since 1970: an integer. Left out when it never expires.
        case expiresAt = "expires_at"
        /// Left out when the grant has none.
        case refreshToken = "refresh_token"
        /// What the access token may do.
        case scope
        /// The same, where it is not what was asked for (RFC 6749 §5.1).
        case changedScope = "changed_scope"
        /// The account's permanent identifier.
        case userID = "user_id"
        /// The account's name, if it has one.
        case name
        /// The account's e-mail address.
        case email
    }

    let members: [(key: JSONWriter.Key, value: Value)]
    /// Whether a member says the account's name or address, which the ledger has to be asked for.
    public let tellsAccount: Bool

    private init(_ members: [(key: JSONWriter.Key, value: Value)]) {
        self.members = members
        tellsAccount = members.contains { $0.value == .name || $0.value == .email }
    }

    /// Whether a member says this.
    public func says(_ value: Value) -> Bool {
        members.contains { $0.value == value }
    }

    /// The members of RFC 6749 §5.1, and `user_id` where it is told.
    static func standard(withUserID: Bool) -> TokenResponseShape {
        withUserID ? standardWithUserID : standardAlone
    }

    private static let standardAlone = TokenResponseShape([
        (JSONWriter.Key("access_token"), .accessToken), (JSONWriter.Key("token_type"), .tokenType),
        (JSONWriter.Key("expires_in"), .expiresIn), (JSONWriter.Key("refresh_token"), .refreshToken),
        (JSONWriter.Key("scope"), .changedScope),
    ])

    private static let standardWithUserID = TokenResponseShape(
        standardAlone.members + [(JSONWriter.Key("user_id"), .userID)]
    )

    init(_ node: ProfileNode) throws(ProfileFault) {
        var members: [(key: JSONWriter.Key, value: Value)] = []
        for (name, value) in try node.entries() {
            members.append((JSONWriter.Key(name), try value.choice("value of a token response")))
        }
        guard members.contains(where: { $0.value == .accessToken }) else {
            throw node.fault("has no member with the access_token")
        }
        self.init(members)
    }

    /// Whether both have the same members in the same order.
    public static func == (left: Self, right: Self) -> Bool {
        left.members.elementsEqual(right.members) { $0.key == $1.key && $0.value == $1.value }
    }
}
