/// Token introspection (RFC 7662).
import OAuth
import Testing

@Suite struct `RFC 7662: introspection` {
    private func server(_ audiences: [String], id: String = "rs") throws -> AuthenticatedClient {
        try Client.example {
            $0.id = id
            $0.grants = []
            $0.audiences = audiences
        }.authenticated()
    }

    private func token(audiences: [String] = [Example.api], own: Bool = false) throws -> AccessToken {
        AccessToken(
            id: [UInt8](0..<16),
            connection: own ? nil : try Example.connectionID(),
            client: try #require(ClientID("s6BhdRkqt3")),
            subject: nil,
            scope: try Scope("read write"),
            audiences: audiences,
            issuedAt: Example.now,
            expiresAt: Example.now + .hours(1)
        )
    }

    @Test func `I02: what is not good is exactly that and nothing else`() {
        #expect(String(decoding: Introspection.inactive, as: UTF8.self) == #"{"active":false}"#)
    }

    @Test func `I01: a caller learns only of its own tokens and of those for its audience`() throws {
        #expect(try Introspection.mayRead(token(), caller: Client.example().authenticated()))
        #expect(try Introspection.mayRead(token(), caller: server([Example.api])))
        #expect(try Introspection.mayRead(token(), caller: server([Example.otherAPI, Example.api])))
        #expect(
            try Introspection.mayRead(token(audiences: [Example.otherAPI, Example.api]), caller: server([Example.api]))
        )
        #expect(try !Introspection.mayRead(token(), caller: server([Example.otherAPI])))
        #expect(try !Introspection.mayRead(token(audiences: []), caller: server([Example.api])))
        #expect(try !Introspection.mayRead(token(), caller: Client.example { $0.id = "other" }.authenticated()))
        #expect(try !Introspection.mayRead(token(), caller: server(["https://rs.example.com"])))
    }

    @Test func `I02: a client's own token is not that of a later client with its id`() throws {
        let later = try Client.example(createdAt: Example.now + .seconds(1))
        let (own, now) = (try token(own: true), later.createdAt)
        #expect(!Introspection.isHeld(own, by: later, at: now))
        #expect(try Introspection.isHeld(own, by: Client.example(createdAt: Example.now), at: now))
        // A JWT tells whole seconds; a connection's token ends with that; and a clock that was set back tells nothing.
        #expect(try Introspection.isHeld(own, by: Client.example(createdAt: Example.now + .milliseconds(999)), at: now))
        #expect(try Introspection.isHeld(token(), by: later, at: now))
        #expect(Introspection.isHeld(own, by: later, at: Example.now))
    }

    @Test func `I03: a live access token is described`() throws {
        let connection = try Example.connection(of: Client.example())
        let json = try members(Introspection.active(token(), connection: connection, issuer: Example.issuer))
        #expect(json["active"] as? Bool == true)
        #expect(json["scope"] as? String == "read write")
        #expect(json["client_id"] as? String == "s6BhdRkqt3")
        #expect(json["token_type"] as? String == "Bearer")
        #expect(json["exp"] as? Int == 1_618_357_690)
        #expect(json["iat"] as? Int == 1_618_354_090)
        #expect(json["sub"] as? String == connection.account.description)
        #expect(json["user_id"] as? String == connection.account.description)
        #expect(json["connection_id"] as? String == connection.id.description)
        #expect(json["aud"] as? String == Example.api)
        #expect(json["iss"] as? String == Example.issuer)
        #expect(json["jti"] as? String == "AAECAwQFBgcICQoLDA0ODw")
        #expect(json.count == 12)
    }

    @Test func `I03: a client's own token speaks for the client, and several audiences are an array`() throws {
        let both = try token(audiences: [Example.api, Example.otherAPI], own: true)
        let json = try members(Introspection.active(both, connection: nil, issuer: Example.issuer))
        #expect(json["sub"] as? String == "s6BhdRkqt3")
        #expect(json["aud"] as? [String] == [Example.api, Example.otherAPI])
        #expect(json["user_id"] == nil)
        #expect(json["connection_id"] == nil)
    }

    @Test func `§2.2: a live refresh token is described without an end, which it has not`() throws {
        let client = try Client.example()
        let connection = try Example.connection(of: client)
        let json = try members(
            Introspection.active(refreshTokenOf: connection, of: client, issuer: Example.issuer)
        )
        #expect(json["active"] as? Bool == true)
        #expect(json["sub"] as? String == connection.account.description)
        #expect(json["client_id"] as? String == "s6BhdRkqt3")
        #expect(json["exp"] == nil)
        #expect(json["token_type"] == nil)
    }

    @Test func `§2.2: a refresh token is for no more than its client still has`() throws {
        let connection = try Example.connection(of: Client.example())
        let client = try Client.example { $0.scopes = ["read"] }
        let json = try members(
            Introspection.active(refreshTokenOf: connection, of: client, issuer: Example.issuer)
        )
        #expect(connection.scope.description == "read write")
        #expect(json["scope"] as? String == "read")
    }
}
