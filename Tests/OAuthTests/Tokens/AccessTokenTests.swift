/// Access tokens as they are good today (RFC 7662 §2.2).
import OAuth
import Testing

@Suite struct `RFC 7662 §2.2: what a token allows today` {
    /// The server of the examples, after its default audience got another name.
    private let audiences = Audiences(fallback: "https://new.example.com/", others: [Example.api, Example.otherAPI])

    /// A client from which an operator has taken a scope and a resource.
    private func client() throws -> Client {
        try Client.example {
            $0.scopes = ["read"]
            $0.resources = [Example.otherAPI]
        }
    }

    private func token(_ audiences: [String], expires: Bool = false) throws -> AccessToken {
        AccessToken(
            id: [UInt8](0..<16),
            connection: try Example.connectionID(),
            client: try client().id,
            subject: nil,
            scope: try Scope("read write"),
            audiences: audiences,
            issuedAt: Example.now,
            expiresAt: expires ? Example.now + .hours(1) : nil
        )
    }

    private func today(_ token: AccessToken, resources: [String] = []) throws -> AccessToken {
        let narrowed = try client()
        let connection = try Example.connection(of: narrowed, resources: resources)
        return token.today(of: narrowed, connection, audiences: audiences)
    }

    @Test(arguments: [true, false]) func `R11: a scope that was taken from its client is gone`(expires: Bool) throws {
        #expect(try today(token([Example.api], expires: expires)).scope.names == ["read"])
    }

    @Test func `without an end, it is for the default audience of the moment`() throws {
        #expect(try today(token([Example.api])).audiences == [audiences.fallback])
        #expect(try today(token([Example.api], expires: true)).audiences == [Example.api])
    }

    @Test func `without an end, it is for the resources that were allowed and its client may still have`() throws {
        let both = [Example.api, Example.otherAPI]
        #expect(try today(token(both), resources: both).audiences == [Example.otherAPI])
        #expect(try today(token([Example.api]), resources: both).audiences.isEmpty, "it was narrowed to the other one")
        #expect(try today(token(both, expires: true), resources: both).audiences == both)
    }
}
