import Glibc
import NIOCore

/// Where the server listens: a host and a port.
struct ListenAddress: Sendable, Equatable, CustomStringConvertible {
    let host: String
    let port: Int

    init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Reads `host:port`, with square brackets around an IPv6 address.
    init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (1...65535).contains(port)
        else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
            var address = in6_addr()
            guard inet_pton(AF_INET6, String(host), &address) == 1 else { return nil }
        } else {
            let isName = host.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
            guard isName, !host.isEmpty else { return nil }
        }
        self.init(host: String(host), port: port)
    }

    var description: String { Self.bracketed(host) + ":\(port)" }

    /// Whether only this machine can reach it.
    var isLoopback: Bool { host == "localhost" || host == "::1" || host.hasPrefix("127.") }

    /// Why a listener could not have it at this moment, as `errno` says it; nil when it could.
    var obstacle: Int32? {
        // A name that leads nowhere is no address of this machine.
        guard let place = try? SocketAddress.makeAddressResolvingHost(host, port: port) else { return EADDRNOTAVAIL }
        var family = AF_INET
        if case .v6 = place { family = AF_INET6 }
        let probe = socket(family, Int32(SOCK_STREAM.rawValue), 0)
        guard probe >= 0 else { return errno }
        defer { close(probe) }
        var yes: Int32 = 1
        setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout.size(ofValue: yes)))
        // It does not listen: a request that came at this moment would be lost.
        return place.withSockAddr { address, size -> Int32? in
            bind(probe, address, socklen_t(size)) == 0 ? nil : errno
        }
    }

    /// The URL by which this machine reaches the server.
    var url: String {
        switch host {
        case "0.0.0.0": "http://127.0.0.1:\(port)"
        case "::": "http://[::1]:\(port)"
        default: "http://\(self)"
        }
    }

    private static func bracketed(_ host: String) -> String {
        host.contains(":") ? "[\(host)]" : host
    }
}

extension Notation where Value == ListenAddress {
    static var address: Self {
        Notation(
            expected: "an address and a port, such as 127.0.0.1:8080 or [::]:8080",
            read: ListenAddress.init(_:),
            show: \.description
        )
    }
}
