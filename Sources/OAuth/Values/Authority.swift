/// Host and port of a URI (RFC 3986 §3.2), without user information, which no URI of ours may have.
struct Authority {
    let host: String
    let port: UInt16?

    init?(_ text: Substring) {
        let host: Substring
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            host = text[...end]
            guard host.dropFirst().dropLast().utf8.allSatisfy(Self.permitsInAddress), host.count > 2 else { return nil }
        } else {
            host = text.prefix { $0 != ":" }
            guard !host.isEmpty, host.utf8.allSatisfy(Self.permitsInName), !host.hasPrefix("."), !host.hasSuffix("."),
                !host.contains("..")
            else { return nil }
        }
        let rest = text[host.endIndex...]
        if rest.isEmpty {
            port = nil
        } else {
            guard rest.first == ":", let number = UInt16(rest.dropFirst()), number > 0,
                rest.dropFirst().utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
            else { return nil }
            port = number
        }
        self.host = host.lowercased()
    }

    var isLoopback: Bool { ["localhost", "127.0.0.1", "[::1]"].contains(host) }

    private static func permitsInName(_ byte: UInt8) -> Bool {
        byte.isUnreserved && byte != UInt8(ascii: "_") && byte != UInt8(ascii: "~")
    }

    private static func permitsInAddress(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"), UInt8(ascii: ":"), UInt8(ascii: "."):
            true
        default: false
        }
    }
}
