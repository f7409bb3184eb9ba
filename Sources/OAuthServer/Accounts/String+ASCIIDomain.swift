import Foundation

extension String {
    /// An e-mail address whose domain people read in their own letters, as browsers write it in a field for addresses (RFC 5890
    /// §2.3.2.1); nil when that is the same, or there is none.
    ///
    /// An address that came through such a field is stored so, and is found by either spelling.
    var withASCIIDomain: String? {
        guard !utf8.allSatisfy({ $0 < 0x80 }), let at = lastIndex(of: "@") else { return nil }
        let domain = self[index(after: at)...]
        guard let host = URLComponents(string: "https://\(domain)")?.encodedHost, host != domain else { return nil }
        return self[...at] + host
    }
}
