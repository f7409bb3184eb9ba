/// What a client's access tokens look like.
public struct AccessTokenPolicy: Sendable, Equatable {
    /// A signed JWT or a sealed opaque text.
    public let format: AccessTokenFormat
    /// How long one lives, in seconds `expires_in`.
    ///
    /// Nil when it never expires: it ends with its connection then.
    public let lifetime: Duration?

    /// Makes a policy.
    public init(format: AccessTokenFormat, lifetime: Duration?) {
        self.format = format
        self.lifetime = lifetime
    }

    /// The lifetimes that an operator may choose from, in seconds: one partner refuses less than 360 s; a signing key outlives
    /// a day.
    public static let lifetimes: ClosedRange<Int64> = 60...86400
}

/// The two forms of an access token.
public enum AccessTokenFormat: String, Sendable, CaseIterable {
    /// RFC 9068: an API verifies it without asking; a cut connection is seen at its expiry.
    case jwt
    /// Sealed by us: an API asks by introspection (RFC 7662), and sees a cut connection at once.
    case opaque
}

/// How long a profile lets access tokens live.
enum AccessTokenLifetime: Sendable, Equatable {
    case limited(Duration)
    /// For partners that never refresh: only cutting the connection ends such a token.
    case never

    init(_ node: ProfileNode) throws(ProfileFault) {
        if try node.text() == "never" {
            self = .never
        } else {
            self = .limited(
                .seconds(
                    try node.integer(AccessTokenPolicy.lifetimes, "an access token's lifetime in seconds, or never,")
                )
            )
        }
    }

    /// The lifetime; nil when there is no end.
    var duration: Duration? {
        switch self {
        case .limited(let duration): duration
        case .never: nil
        }
    }
}
