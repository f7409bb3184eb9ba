/// What a partner's authorization requests may leave out.
public struct AuthorizationRequestRules: Sendable, Equatable {
    /// A parameter for which the server knows what is meant.
    public enum Omittable: String, Sendable, CaseIterable {
        /// The profile's own client stands in, at the profile's own path.
        case clientID = "client_id"
        /// `code` stands in.
        case responseType = "response_type"
    }

    /// The parameters that may be left out; a value that is sent must be right all the same.
    public let mayOmit: Set<Omittable>

    init() {
        mayOmit = []
    }

    init(_ node: ProfileNode) throws(ProfileFault) {
        mayOmit = try node.members(["may_omit"]).choices("may_omit", "parameter that may be left out") ?? []
    }
}

/// How often a client's people prove who they are.
public enum PromptRule: String, Sendable, CaseIterable {
    /// As `prompt` and `max_age` say (OpenID Connect Core §3.1.2.1).
    case asSent = "as_sent"
    /// At every authorization, as if `prompt=login` were always sent.
    case login
}
