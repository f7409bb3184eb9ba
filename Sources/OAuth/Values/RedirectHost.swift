/// A domain below which any host may be redirected to: looser than RFC 9700 §2.1, so only a profile can say it.
///
/// What matches is `https` on the default port, at a host of one or more labels before the domain, with any path and
/// query.
public struct RedirectHost: Sendable, Hashable {
    /// The domain: `integrations.partner.example`.
    public let domain: String

    /// Reads a domain of at least two labels.
    ///
    /// - Throws: `RegistrationError` for anything that is not one; above all `*`, which would give codes to everybody.
    public init(_ text: String) throws(RegistrationError) {
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        guard labels.count >= 2, text.utf8.count <= Self.lengthLimit, labels.allSatisfy(Self.isLabel),
            text == text.lowercased()
        else {
            throw RegistrationError(
                "'\(text)' is not a domain: write it without a wildcard and in lower case, such as partner.example"
            )
        }
        domain = text
    }

    /// The redirect URI of a request when it leads below this domain.
    ///
    /// - Parameter requested: `redirect_uri`, as it was sent.
    /// - Returns: nil for every other scheme, port, user information, fragment, or a character that no URI holds; nil also
    ///   when the query already has a member of the authorization response, or a semicolon, behind which some receivers
    ///   read another. `state` may stand in it: a partner whose requests have no `state` of their own keeps it there.
    public func redirectURI(_ requested: String) -> RedirectURI? {
        guard requested.hasPrefix("https://"), let uri = RedirectURI(below: requested), uri.query?.contains(";") != true
        else { return nil }
        // Without a port and user information, the authority is the host.
        let authority = requested.utf8.dropFirst("https://".utf8.count).prefix {
            $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?")
        }
        guard authority.count == uri.host.utf8.count, uri.host.utf8.count <= Self.lengthLimit,
            uri.host.hasSuffix("." + domain)
        else { return nil }
        let labels = uri.host.dropLast(domain.count + 1).split(separator: ".", omittingEmptySubsequences: false)
        return labels.allSatisfy(Self.isLabel) ? uri : nil
    }

    /// RFC 1035 §2.3.1, with digits in front (RFC 1123 §2.1).
    private static func isLabel(_ label: Substring) -> Bool {
        (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
            && label.utf8.allSatisfy { $0 == UInt8(ascii: "-") || $0.isUnreserved && !"._~".utf8.contains($0) }
    }

    /// RFC 1035 §2.3.4.
    private static let lengthLimit = 253
}
