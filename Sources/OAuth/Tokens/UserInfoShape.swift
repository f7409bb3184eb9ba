/// What the userinfo endpoint says of an account to a client (OpenID Connect Core §5.3.2), and how it words a refusal.
public struct UserInfoShape: Sendable, Equatable {
    /// What a member says.
    public enum Value: String, Sendable, CaseIterable {
        /// The account's permanent identifier.
        case userID = "user_id"
        /// The account's name; its identifier, if it has none.
        case name
        /// The account's e-mail address.
        case email
    }

    /// How a refusal is worded.
    public enum Errors: String, Sendable, CaseIterable {
        /// `{"error", "error_description"}`, as RFC 6750 §3 has it in the header.
        case oauth
        /// `{"errors": [{"message"}]}`.
        case messageList = "message_list"
    }

    /// A member with what it says.
    public struct Member: Sendable, Equatable {
        /// The member's name, ready to be written.
        public let key: JSONWriter.Key
        /// What it says.
        public let value: Value
    }

    /// The member in which the object stands; nil when it stands alone.
    public let envelope: JSONWriter.Key?
    /// The object's members, in order.
    public let members: [Member]
    /// How a refusal is worded.
    public let errors: Errors

    /// `sub` and `user_id`: name and address are a profile's to tell.
    public static let standard = UserInfoShape(
        envelope: nil,
        members: [
            Member(key: JSONWriter.Key("sub"), value: .userID), Member(key: JSONWriter.Key("user_id"), value: .userID),
        ],
        errors: .oauth
    )

    private init(envelope: JSONWriter.Key?, members: [Member], errors: Errors) {
        self.envelope = envelope
        self.members = members
        self.errors = errors
    }

    init(_ node: ProfileNode) throws(ProfileFault) {
        let shape = try node.members(["envelope", "members", "errors"])
        envelope = try shape.optional("envelope") { node throws(ProfileFault) in JSONWriter.Key(try node.text()) }
        var members: [Member] = []
        for (name, value) in try shape["members"]?.entries() ?? [] {
            members.append(Member(key: JSONWriter.Key(name), value: try value.choice("value of an account")))
        }
        self.members = members.isEmpty ? Self.standard.members : members
        errors = try shape.choice("errors", "form of an error") ?? .oauth
    }
}
