import Glibc

/// A network address, the same however it is written: IPv4 is kept as IPv6 keeps it (RFC 4291 §2.5.5.2).
public struct IPAddress: Sendable, Hashable, CustomStringConvertible {
    fileprivate let high: UInt64
    fileprivate let low: UInt64

    fileprivate init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Reads an address: `10.0.0.1`, `2001:db8::1`, `::ffff:10.0.0.1`; a zone after `%` is left out.
    public init?(_ text: some StringProtocol) {
        let text = String(text.prefix { $0 != "%" })
        guard text.utf8.count <= 45, !text.utf8.contains(0) else { return nil }
        var four: UInt32 = 0
        if inet_pton(AF_INET, text, &four) == 1 {
            self.init(high: 0, low: Self.mapped | UInt64(UInt32(bigEndian: four)))
            return
        }
        var six: (high: UInt64, low: UInt64) = (0, 0)
        guard inet_pton(AF_INET6, text, &six) == 1 else { return nil }
        self.init(high: UInt64(bigEndian: six.high), low: UInt64(bigEndian: six.low))
    }

    /// Reads an entry of `X-Forwarded-For`, which may carry a port: `10.0.0.1:4711`, `[2001:db8::1]:4711`.
    init?(forwarded entry: some StringProtocol) {
        if entry.first == "[" {
            guard let end = entry.firstIndex(of: "]"), ["", ":"].contains(entry[end...].dropFirst().prefix(1)) else {
                return nil
            }
            self.init(entry.dropFirst().prefix { $0 != "]" })
        } else if entry.contains("."), entry.count(where: { $0 == ":" }) == 1 {
            self.init(entry.prefix { $0 != ":" })
        } else {
            self.init(entry)
        }
    }

    /// As it is usually written: IPv4 with dots, IPv6 in lower case and as short as it gets (RFC 5952).
    public var description: String {
        guard isIPv4 else { return Self.written(AF_INET6, [high.bigEndian, low.bigEndian]) }
        return Self.written(AF_INET, [UInt32(truncatingIfNeeded: low).bigEndian])
    }

    /// By what one subscriber is told from another: an IPv4 address, but of IPv6 a whole /64, of which everybody has
    /// all addresses.
    var subscriber: String {
        isIPv4 ? description : "\(IPAddress(high: high, low: 0))/64"
    }

    fileprivate var isIPv4: Bool { high == 0 && low >> 32 == Self.mapped >> 32 }

    private static let mapped: UInt64 = 0xFFFF_0000_0000

    private static func written(_ family: Int32, _ address: [some FixedWidthInteger]) -> String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        inet_ntop(family, address, &text, socklen_t(text.count))
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

/// The addresses that begin the same (RFC 4632, RFC 4291 §2.3): `10.0.0.0/8`, `2001:db8::/32`, or a single one.
public struct IPNetwork: Sendable, Hashable, CustomStringConvertible {
    private let start: IPAddress
    /// How many of the 128 bits are the same for all.
    private let length: Int

    /// Reads a network in CIDR notation, or an address that stands for itself.
    /// - Returns: nil when it is neither.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = parts.first.flatMap({ IPAddress($0) }), !text.contains("%") else { return nil }
        var length = 128
        if parts.count == 2 {
            // Of an IPv4 network that is written as IPv4, the bits are counted from where IPv4 begins.
            let isDotted = !parts[0].contains(":")
            guard parts[1].utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
                let bits = Int(parts[1]), (0...(isDotted ? 32 : 128)).contains(bits)
            else { return nil }
            length = isDotted ? bits + 96 : bits
        }
        self.length = length
        start = Self.start(of: address, length)
    }

    /// Whether every address is in it, or every one of IPv4.
    public var isEverything: Bool { length == 0 || (length == 96 && start.isIPv4) }

    /// Whether an address is in it.
    public func contains(_ address: IPAddress) -> Bool { Self.start(of: address, length) == start }

    /// In CIDR notation; a single address without its length.
    public var description: String {
        guard length < 128 else { return start.description }
        return "\(start)/\(start.isIPv4 && length >= 96 ? length - 96 : length)"
    }

    private static func start(of address: IPAddress, _ length: Int) -> IPAddress {
        // A shift by all 64 bits or more leaves none.
        IPAddress(
            high: address.high & ~(UInt64.max >> min(length, 64)),
            low: address.low & ~(UInt64.max >> max(length - 64, 0))
        )
    }
}

/// Who asked, as trusted proxies tell it.
enum ForwardedSource: Sendable, CustomStringConvertible {
    case known(IPAddress)
    /// What is no address stands where the client's would, such as `unix:`: it was not the proxy that says so.
    case unknown

    var description: String {
        switch self {
        case .known(let address): address.description
        case .unknown: "unknown"
        }
    }
}

extension [IPNetwork] {
    /// Who asked, when these are the trusted proxies.
    ///
    /// `X-Forwarded-For` is read from its end: the last address that is not a trusted proxy's is the client's.
    ///
    /// - Parameters:
    ///   - peer: the address at the other end of the connection.
    ///   - headers: the values of `X-Forwarded-For`, in their order.
    /// - Returns: nil when the peer is no trusted proxy, so that nothing it says is believed.
    func source(of peer: String, forwarded headers: [String]) -> ForwardedSource? {
        guard let proxy = IPAddress(peer), isTrusted(proxy) else { return nil }
        var source = ForwardedSource.unknown
        for entry in headers.joined(separator: ",").split(separator: ",").reversed() {
            guard let hop = IPAddress(forwarded: entry.filter { $0 != " " && $0 != "\t" }) else { return .unknown }
            source = .known(hop)
            guard isTrusted(hop) else { break }
        }
        return source
    }

    private func isTrusted(_ address: IPAddress) -> Bool { contains { $0.contains(address) } }
}
