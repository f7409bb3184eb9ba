import NIOHTTP1

/// What the head of a request says to whoever lets it in.
extension HTTPRequestHead {
    /// Whether the request is its connection's last one, in any spelling (RFC 9110 §7.6.1).
    var endsConnection: Bool {
        for (name, value) in headers where name.isSpelled("connection") {
            if value.lowercased().split(separator: ",").contains(where: { $0.filter(\.isNoBlank) == "close" }) {
                return true
            }
        }
        return false
    }

    /// Whether the client waits for leave to send its body (RFC 9110 §10.1.1).
    var awaitsLeave: Bool {
        headers.first(name: "expect")?.lowercased().filter(\.isNoBlank) == "100-continue"
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
    /// A word as short as these is put in lower case without allocating.
    fileprivate func isSpelled(_ name: String) -> Bool {
        utf8.count == name.utf8.count && lowercased() == name
    }
}

extension Character {
    fileprivate var isNoBlank: Bool { self != " " && self != "\t" }
}
