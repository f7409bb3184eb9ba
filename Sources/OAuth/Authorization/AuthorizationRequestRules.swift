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
