// Addresses that a page may carry in `href` and `src`: parsed once, so that `javascript:` and its kin cannot reach a page.

/// Where a link of a page leads.
public enum PageLink: Sendable, Hashable {
    /// A path of this server below its base path, such as `/account`.
    case local(String)
    /// An absolute address: `https:`, `http:` or `mailto:`.
    case absolute(String)

    /// Reads an address that may stand in a link.
    /// - Parameter text: An absolute `https:`, `http:` or `mailto:` address in ASCII, or a path that begins with one `/`.
    ///   Everything else, such as `javascript:` or `//host`, gives nil.
    public init?(_ text: String) {
        guard text.utf8.count <= maximumAddressLength, text.utf8.allSatisfy(isAddressByte) else { return nil }
        if text.hasPrefix("/") {
            guard !text.hasPrefix("//") else { return nil }
            self = .local(text)
            return
        }
        let lowercase = text.lowercased()
        guard let scheme = ["https://", "http://", "mailto:"].first(where: lowercase.hasPrefix),
            lowercase.utf8.count > scheme.utf8.count
        else { return nil }
        self = .absolute(text)
    }

    func address(below basePath: String) -> String {
        switch self {
        case .local(let path): basePath + path
        case .absolute(let address): address
        }
    }
}

/// A picture that a page may show: `https:` or an embedded `data:image/…`, as the pages' content security policy allows.
public struct PageImage: Sendable, Hashable {
    let address: String

    /// Reads the address of a picture.
    /// - Parameter text: An absolute `https:` address, or `data:image/` with `png`, `jpeg`, `gif`, `webp` or `svg+xml` in
    ///   base 64. Everything else gives nil.
    public init?(_ text: String) {
        let lowercase = text.prefix(40).lowercased()
        let embedded = ["png", "jpeg", "gif", "webp", "svg+xml"]
            .contains { lowercase.hasPrefix("data:image/\($0);base64,") }
        let remote = lowercase.hasPrefix("https://") && lowercase.count > 8 && text.utf8.count <= maximumAddressLength
        guard embedded && text.utf8.count <= maximumEmbeddedImageLength || remote, text.utf8.allSatisfy(isAddressByte)
        else { return nil }
        address = text
    }
}

/// The longest address a page carries; longer ones are refused by some browsers.
private let maximumAddressLength = 2_000
/// The longest embedded picture, 64 KiB in base 64.
private let maximumEmbeddedImageLength = 88_000

/// The bytes of RFC 3986's characters: printable ASCII without the ones that no address may hold unescaped.
private func isAddressByte(_ byte: UInt8) -> Bool {
    (0x21...0x7E).contains(byte) && !#""<>\^`{|}"#.utf8.contains(byte)
}
