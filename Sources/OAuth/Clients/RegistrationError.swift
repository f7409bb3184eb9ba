/// A registration that cannot become a client.
public struct RegistrationError: Error, CustomStringConvertible, Equatable {
    /// What of a registration an error is about.
    public enum Member: Sendable, Hashable {
        case id, name, isPublic, redirectURIs, scopes, grants, refresh, accessToken, accessTokenLifetime, audiences
        case resources, consent
        /// What the operator says for a name in the profile's redirect URIs.
        case profileValue(String)
    }

    /// One sentence: what is wrong, what is expected.
    ///
    /// What the law says names no form's field and no command's option: who shows it points at theirs by the member.
    public let description: String
    /// What it is about; nil when that is no member, or more than one.
    public let member: Member?

    /// Makes an error with its sentence.
    public init(_ description: String, about member: Member? = nil) {
        self.description = description
        self.member = member
    }
}
