import Foundation
import OAuth

extension String {
    /// An e-mail address whose domain people read in their own letters, as browsers write it in a field for addresses (RFC 5890
    /// §2.3.2.1); nil when that is the same, or there is none.
    ///
    /// An address that came through such a field is stored so, and is found by either spelling.
    var withASCIIDomain: String? {
        guard !utf8.allSatisfy({ $0 < 0x80 }), utf8.count <= EmailAddress.limit, let at = lastIndex(of: "@") else {
            return nil
        }
        let domain = self[index(after: at)...]
        // A port or a path behind it would be left out: one address would have any number of spellings, each with its own tries.
        guard domain.utf8.allSatisfy(Self.isOfHost),
            let host = URLComponents(string: "https://\(domain)")?.encodedHost, host != domain
        else { return nil }
        return self[...at] + host
    }

    private static func isOfHost(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), 0x80...:
            true
        default: false
        }
    }
}
