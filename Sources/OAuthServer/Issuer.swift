import OAuth

/// The issuer identifier (RFC 8414 §2): an `https` URL without query and fragment, or `http` on loopback.
public struct Issuer: Sendable, Hashable {
    /// The identifier, byte for byte as configured: `iss`.
    public let text: String
    /// The path under which the whole server is mounted: empty, or `/auth`.
    public let path: String
    /// Scheme, host and port, as browsers write them in `Origin`: in small letters, and without the scheme's usual port.
    let origin: String
    /// Whether browsers come by https, so that cookies are `Secure`.
    public let isSecure: Bool

    /// Reads an issuer.
    ///
    /// - Parameters:
    ///   - text: the URL; anything else gives nil.
    ///   - allowsInsecure: whether `http` is allowed on hosts that are not loopback: in test mode.
    public init?(_ text: String, allowsInsecure: Bool = false) {
        guard !text.contains("?"), !text.contains("#") else { return nil }
        let isSecure = text.hasPrefix("https://")
        guard isSecure || text.hasPrefix("http://") else { return nil }
        let rest = text.dropFirst(isSecure ? 8 : 7)
        let authority = rest.prefix { $0 != "/" }
        guard let checked = try? RedirectURI((isSecure || allowsInsecure ? "https://" : "http://") + rest),
            !authority.isEmpty, !checked.text.isEmpty
        else { return nil }
        var path = rest.dropFirst(authority.count)
        if path.hasSuffix("/") { path.removeLast() }
        // The router would read : and * as placeholders.
        guard !path.contains("//"), !path.contains(".."), !path.contains(":"), !path.contains("*") else { return nil }
        self.text = text
        self.path = String(path)
        self.isSecure = isSecure
        let usualPort = isSecure ? ":443" : ":80"
        let place = authority.hasSuffix(usualPort) ? authority.dropLast(usualPort.count) : authority
        origin = (isSecure ? "https://" : "http://") + place.lowercased()
    }

    /// The URL of a path of this server.
    public func url(_ path: String) -> String {
        (text.hasSuffix("/") ? String(text.dropLast()) : text) + path
    }
}
