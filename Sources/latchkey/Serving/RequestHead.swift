import NIOHTTP1

/// What the head of a request says to whoever lets it in.
extension HTTPRequestHead {
    /// What it is answered unread; nil for a request that is heard.
    ///
    /// It names one host, and in a way that can be one (RFC 9112 §3.2); HTTP/1.0 knows no such header field. And where it says how its
    /// body is sent, it says so: to the decoder nothing is no body, to whoever stands in between perhaps one (RFC 9112 §6.3).
    var refusal: EarlyAnswer? {
        var host: String?
        var isCoded = false
        for (name, value) in headers {
            if name.isSpelled("host") {
                guard host == nil else { return .noHost }
                host = value
            } else if name.isSpelled("transfer-encoding") {
                guard !value.utf8.allSatisfy(\.isBlank) else { return .noCoding }
                isCoded = true
            }
        }
        guard host?.isHost ?? (version == .http1_0) else { return .noHost }
        return isCoded && isPacked ? .unknownCoding : nil
    }

    /// Whether what comes in chunks is packed before, which the decoder passes on as it is (RFC 9112 §6.1).
    ///
    /// A body that does not come in chunks at last is the decoder's to refuse.
    private var isPacked: Bool {
        let codings = headers["transfer-encoding"].flatMap { $0.utf8.split(separator: UInt8(ascii: ",")) }
        guard codings.count > 1, let last = codings.last else { return false }
        return String(decoding: last.filter { !$0.isBlank }, as: UTF8.self).lowercased() == "chunked"
    }

    /// What the answer is to say of the connection, if anything.
    enum ConnectionOption: String {
        /// It ends.
        case close
        /// It goes on, as a client of HTTP/1.0 must ask for and be told.
        case keepAlive = "keep-alive"
    }

    /// What is to become of the connection (RFC 9112 §9.3): what the client wants, in any spelling (RFC 9110 §7.6.1).
    ///
    /// It ends with who asks for another protocol, or for a tunnel: the decoder takes all that follows for that.
    var connectionOption: ConnectionOption? {
        guard method != .CONNECT else { return .close }
        var isKept = version != .http1_0
        for (name, value) in headers where name.isSpelled("connection") {
            // By bytes, as the decoder does: to Swift a comma and an accent behind it are one character, and no comma.
            for option in value.utf8.split(separator: UInt8(ascii: ",")) {
                switch String(decoding: option.filter { !$0.isBlank }, as: UTF8.self).lowercased() {
                case "close", "upgrade": return .close
                case "keep-alive": isKept = true
                default: break
                }
            }
        }
        guard version == .http1_0 else { return nil }
        // HTTP/1.0 knows no parts: where such a body ends is not sure (RFC 9112 §6.1).
        return isKept && !headers.contains(name: "transfer-encoding") ? .keepAlive : .close
    }

    /// Whether the client waits for leave to send its body, as none of HTTP/1.0 does (RFC 9110 §10.1.1).
    var awaitsLeave: Bool {
        version != .http1_0 && headers.first(name: "expect")?.lowercased().filter(\.isNoBlank) == "100-continue"
    }

    /// How long the body is, if that is announced.
    var announcedLength: Int? {
        headers.first(name: "content-length").flatMap { Int($0.filter(\.isNoBlank)) }
    }

    /// Whether whoever watches over the server asks.
    var isProbe: Bool {
        guard method == .GET || method == .HEAD else { return false }
        // A query is the caller's own word, and lets nobody in.
        let path = uri.prefix { $0 != "?" }
        return ["/healthz", "/readyz", "/metrics"].contains { path.hasSuffix($0) }
    }
}

extension String {
    /// Whether this is a header field's name, which has no case.
    ///
    /// A word as short as most of these is put in lower case without allocating.
    fileprivate func isSpelled(_ name: String) -> Bool {
        utf8.count == name.utf8.count && lowercased() == name
    }

    /// Whether this is a name or an address, with a port or without, and blanks around it.
    ///
    /// It may be empty: who asks for what has no host says so.
    fileprivate var isHost: Bool {
        var rest = utf8.drop(while: \.isBlank)
        if rest.first == UInt8(ascii: "[") {
            guard let end = rest.firstIndex(of: UInt8(ascii: "]")),
                rest[..<end].dropFirst().allSatisfy({ $0.isInHostName || $0 == UInt8(ascii: ":") })
            else { return false }
            rest = rest[end...].dropFirst()
        } else {
            rest = rest.drop(while: \.isInHostName)
        }
        if rest.first == UInt8(ascii: ":") { rest = rest.dropFirst().drop(while: \.isDigit) }
        return rest.allSatisfy(\.isBlank)
    }
}

extension Character {
    fileprivate var isNoBlank: Bool { self != " " && self != "\t" }
}

extension UInt8 {
    fileprivate var isBlank: Bool { self == UInt8(ascii: " ") || self == UInt8(ascii: "\t") }

    fileprivate var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }

    /// Whether it may stand in a host's name: an unreserved character, a delimiter without meaning there, or `%`.
    fileprivate var isInHostName: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "%"): true
        // From `&` to `,`: & ' ( ) * + ,
        case UInt8(ascii: "!"), UInt8(ascii: "$"), UInt8(ascii: "&")...UInt8(ascii: ","): true
        case UInt8(ascii: ";"), UInt8(ascii: "="): true
        default: isDigit
        }
    }
}
