/// Network addresses: the same however they are written, and the networks that they are in.
import TestBackends
import Testing

@testable import OAuthServer

@Suite struct `Network addresses` {
    @Test(arguments: [
        ("10.0.0.1", "10.0.0.1"), ("::ffff:10.0.0.1", "10.0.0.1"), ("::FFFF:0a00:0001", "10.0.0.1"),
        ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"), ("::1", "::1"), ("fe80::1%eth0", "fe80::1"), ("::", "::"),
    ])
    func `an address is the same however it is written`(text: String, written: String) throws {
        #expect(try #require(IPAddress(text)).description == written)
        #expect(IPAddress(text) == IPAddress(written))
    }

    @Test(arguments: [
        "", "unknown", "10.0.0", "10.0.0.256", "10.0.0.1:80", "[::1]", ":::", "10.0.0.1 ", "1.2.3.4\0", "_x",
    ])
    func `what is no address is none`(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test(arguments: [
        ("10.0.0.1:4711", "10.0.0.1"), ("[2001:db8::1]:4711", "2001:db8::1"), ("[2001:db8::1]", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"), ("[::ffff:10.0.0.1]:1", "10.0.0.1"), ("::ffff:10.0.0.1", "10.0.0.1"),
    ])
    func `a forwarded address may carry a port`(entry: String, address: String) {
        #expect(IPAddress(forwarded: entry)?.description == address)
    }

    @Test(arguments: ["unknown", "[::1", "[::1]x", "[]", "", ":80", "10.0.0.1:80:90"])
    func `a strange forwarded entry is no address`(entry: String) {
        #expect(IPAddress(forwarded: entry) == nil)
    }

    @Test(arguments: [
        (
            "10.0.0.0/8", ["10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3"],
            ["11.0.0.0", "9.255.255.255", "::10.0.0.1"]
        ),
        ("10.0.0.2", ["10.0.0.2", "::ffff:a00:2"], ["10.0.0.3", "::2"]),
        ("192.0.2.7/31", ["192.0.2.6", "192.0.2.7"], ["192.0.2.5", "192.0.2.8"]),
        ("0.0.0.0/0", ["1.2.3.4"], ["2001:db8::1", "::1"]),
        ("2001:db8::/32", ["2001:DB8:ffff::1"], ["2001:db9::", "10.0.0.1"]),
        ("2001:db8::/64", ["2001:db8::ffff:0:0:1"], ["2001:db8:0:1::"]),
        ("::1", ["0:0:0:0:0:0:0:1"], ["::2", "0.0.0.1"]),
        ("::/0", ["::1", "10.0.0.1", "ffff::"], []),
    ])
    func `a network holds the addresses that begin like it`(text: String, inside: [String], outside: [String]) throws {
        let network = try #require(IPNetwork(text))
        for address in inside { #expect(network.contains(try #require(IPAddress(address))), "\(address)") }
        for address in outside { #expect(!network.contains(try #require(IPAddress(address))), "\(address)") }
        #expect(IPNetwork(network.description) == network)
    }

    @Test(arguments: [
        "10.0.0.0/33", "10.0.0.0/", "/8", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8/8", "::/129", "proxy", "",
        "fe80::1%x",
        "10.0.0.0/ 8", "10.0.0.0/99999999999999999999",
    ])
    func `what is no network is none`(text: String) {
        #expect(IPNetwork(text) == nil)
    }

    @Test func `IPv4 addresses are counted one by one, IPv6 by the subscriber's network`() {
        #expect(IPAddress("10.0.0.1")?.subscriber == "10.0.0.1")
        #expect(IPAddress("2001:db8:1:2:3:4:5:6")?.subscriber == "2001:db8:1:2::/64")
    }

    /// Trusted proxies, the peer, the values of the header, and who asked.
    private static let forwarded: [(String, String, [String], String?)] = [
        ("10.0.0.0/8", "10.0.0.2", ["203.0.113.9"], "203.0.113.9"),
        ("10.0.0.0/8", "::ffff:10.0.0.2", ["203.0.113.9"], "203.0.113.9"),
        ("10.0.0.0/8", "10.0.0.2", ["192.0.2.66, 203.0.113.9 , 10.0.0.3"], "203.0.113.9"),
        ("10.0.0.0/8", "10.0.0.2", ["192.0.2.66", "203.0.113.9:4711,10.0.0.3:80"], "203.0.113.9"),
        ("10.0.0.0/8", "10.0.0.2", ["[2001:DB8::0:9]:4711"], "2001:db8::9"),
        ("2001:db8::/64", "2001:0DB8::2", ["203.0.113.9"], "203.0.113.9"),
        ("10.0.0.0/8", "10.0.0.2", ["203.0.113.9, unknown"], "unknown"),
        ("10.0.0.0/8", "10.0.0.2", ["203.0.113.9, unknown, 10.0.0.3"], "unknown"),
        ("127.0.0.0/8", "127.0.0.1", ["unix:, 127.0.0.2"], "unknown"),
        ("10.0.0.0/8", "10.0.0.2", ["unix:, 203.0.113.9, 10.0.0.3"], "203.0.113.9"),
        ("10.0.0.0/8", "10.0.0.2", ["10.0.0.4, 10.0.0.3"], "10.0.0.4"),
        ("10.0.0.0/8", "10.0.0.2", ["", ","], "unknown"),
        ("10.0.0.0/8", "203.0.113.1", ["192.0.2.66"], nil),
        ("10.0.0.0/8", "unknown", ["192.0.2.66"], nil),
    ]

    @Test(arguments: forwarded)
    func `X-Forwarded-For is read from its end, and believed from trusted proxies only`(
        networks: String,
        peer: String,
        headers: [String],
        source: String?
    ) throws {
        #expect([try #require(IPNetwork(networks))].source(of: peer, forwarded: headers)?.description == source)
    }

    @Test func `a warning that is told once is not told again`() async throws {
        let once = Once()
        #expect(try await parallel(50) { _ in once.isFirst() }.count(where: \.self) == 1)
    }
}
