/// Cookies: bound to this host, out of scripts' and other sites' reach (ASVS 3.3).
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import OAuth
import Testing

@testable import OAuthServer

/// Ours, where Hummingbird has a type of that name too.
typealias Cookies = OAuthServer.Cookies

@Suite struct `Cookies: names, headers and values` {
    private let secure = Issuer("https://id.example.com/auth")
    private let plain = Issuer("http://localhost:3020")

    @Test(arguments: Cookies.allCases)
    func `over https a cookie is Secure and bound to the host by its name`(_ cookie: Cookies) throws {
        let issuer = try #require(secure)
        #expect(cookie.name(issuer) == "__Host-latchkey-\(cookie.rawValue)")
        let attributes = cookie.header("value", issuer: issuer).components(separatedBy: "; ")
        // U04: nothing leads into the console from another site.
        let site = [.console, .said].contains(cookie) ? "Strict" : "Lax"
        #expect(
            attributes
                == ["__Host-latchkey-\(cookie.rawValue)=value", "Path=/", "HttpOnly", "SameSite=\(site)", "Secure"]
        )
    }

    @Test func `on plain loopback it cannot be`() throws {
        let issuer = try #require(plain)
        #expect(Cookies.session.header("v", issuer: issuer) == "latchkey-session=v; Path=/; HttpOnly; SameSite=Lax")
    }

    @Test func `a lifetime is told in seconds`() throws {
        let issuer = try #require(plain)
        #expect(Cookies.device.header("v", issuer: issuer, lifetime: .days(1)).hasSuffix("; Max-Age=86400"))
        #expect(Cookies.device.header("", issuer: issuer, lifetime: .zero).hasSuffix("; Max-Age=0"))
    }

    @Test(arguments: [
        (["latchkey-session=abc"], "abc"), (["a=1; latchkey-session=abc; b=2"], "abc"),
        (["a=1;latchkey-session=a=b"], "a=b"),
        (["a=1", "latchkey-session=abc"], "abc"), (["latchkey-session="], ""),
        (["latchkey-session=first; latchkey-session=second"], "first"),
    ])
    func `a cookie is found among others`(headers: [String], value: String) throws {
        let issuer = try #require(plain)
        #expect(Cookies.session.value(Self.request(headers), issuer) == value)
    }

    @Test(arguments: [
        [], [""], ["latchkey-session"], ["latchkey-sessionx=1"], ["xlatchkey-session=1"], ["__Host-latchkey-session=1"],
        ["latchkey-device=1"], ["Latchkey-Session=1"],
    ])
    func `a cookie of another name is another cookie`(headers: [String]) throws {
        let issuer = try #require(plain)
        #expect(Cookies.session.value(Self.request(headers), issuer) == nil)
    }

    private static func request(_ cookies: [String]) -> Request {
        var fields = HTTPFields()
        fields[values: .cookie] = cookies
        return Request(
            head: HTTPRequest(method: .get, scheme: "http", authority: "localhost", path: "/", headerFields: fields),
            body: RequestBody(buffer: ByteBuffer())
        )
    }
}
