/// Paths of the server that a partner's document fixes, below the issuer's path.
///
/// Such a path belongs to its profile: only clients of that profile may use it, and what a request leaves out stands
/// for them.
public struct ProfileEndpoints: Sendable, Equatable {
    /// More paths of the authorization endpoint.
    public let authorize: [ProfilePath]
    /// More paths of the token endpoint.
    public let token: [ProfilePath]
    /// More paths of the userinfo endpoint.
    public let userInfo: [ProfilePath]

    init() {
        authorize = []
        token = []
        userInfo = []
    }

    init(_ node: ProfileNode) throws(ProfileFault) {
        let endpoints = try node.members(["authorize", "token", "userinfo"])
        authorize = try endpoints.list("authorize", ProfilePath.init) ?? []
        token = try endpoints.list("token", ProfilePath.init) ?? []
        userInfo = try endpoints.list("userinfo", ProfilePath.init) ?? []
    }

    /// All of them.
    public var all: [ProfilePath] { authorize + token + userInfo }
}

/// A path with the line on which its profile names it.
public struct ProfilePath: Sendable, Equatable {
    /// The path: `/api/client/v1/oauth/accessToken`.
    public let text: String
    /// The line in the profile's file.
    public let line: Int?

    init(_ node: ProfileNode) throws(ProfileFault) {
        let text = try node.text()
        let segments = text.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        guard text.hasPrefix("/"), text.utf8.count <= 200, !segments.isEmpty,
            segments.allSatisfy({ $0.utf8.allSatisfy(\.isUnreserved) && !["", ".", ".."].contains($0) })
        else {
            throw node.fault(
                "'\(text)' is not a path: write /one/or/more of A-Z a-z 0-9 - . _ ~, without a slash at the end"
            )
        }
        self.text = text
        line = node.line
    }
}
