/// What is counted.
public enum Counted: Sendable, Hashable {
    /// A connection was made.
    case connected
    /// A connection was cut.
    case revoked
    /// A refresh token gave new tokens.
    case refreshed
    /// A request of a client was refused, with this error code.
    case refused(String)
    /// A sign-in failed.
    case signInFailed

    /// Its name, as the database keeps it.
    public var name: String {
        switch self {
        case .connected: "connected"
        case .revoked: "revoked"
        case .refreshed: "refreshed"
        case .refused(let error): Self.refusedPrefix + error
        case .signInFailed: "sign_in_failed"
        }
    }

    /// Reads a name.
    public init?(name: String) {
        switch name {
        case "connected": self = .connected
        case "revoked": self = .revoked
        case "refreshed": self = .refreshed
        case "sign_in_failed": self = .signInFailed
        case let name where name.hasPrefix(Self.refusedPrefix):
            self = .refused(String(name.dropFirst(Self.refusedPrefix.count)))
        default: return nil
        }
    }

    /// What the names of refusals begin with.
    public static let refusedPrefix = "refused:"
}
