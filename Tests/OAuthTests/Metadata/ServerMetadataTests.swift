/// Authorization server metadata (RFC 8414).
import OAuth
import Testing

@Suite struct `RFC 8414: server metadata` {
    private func document(_ issuer: String, scopes: [String] = []) throws -> [String: Any] {
        try members(ServerMetadata(issuer: issuer, scopes: scopes).json)
    }

    @Test(arguments: [
        ("https://auth.example.com", "https://auth.example.com"),
        ("https://auth.example.com/", "https://auth.example.com"),
        ("https://example.com/some/base", "https://example.com/some/base"),
        ("http://localhost:3020", "http://localhost:3020"),
    ])
    func `M01: the issuer stands as configured, and the endpoints under it`(_ issuer: String, _ base: String) throws {
        let json = try document(issuer)
        #expect(json["issuer"] as? String == issuer)
        #expect(json["authorization_endpoint"] as? String == base + "/oauth/authorize")
        #expect(json["token_endpoint"] as? String == base + "/oauth/token")
        #expect(json["revocation_endpoint"] as? String == base + "/oauth/revoke")
        #expect(json["introspection_endpoint"] as? String == base + "/oauth/introspect")
        #expect(json["jwks_uri"] as? String == base + "/oauth/jwks")
    }

    @Test func `M02: it says what this server does`() throws {
        let json = try document(Example.issuer, scopes: ["locks.read", "locks.write"])
        #expect(json["scopes_supported"] as? [String] == ["locks.read", "locks.write"])
        #expect(json["response_types_supported"] as? [String] == ["code"])
        #expect(json["response_modes_supported"] as? [String] == ["query"])
        #expect(json["grant_types_supported"] as? [String] == GrantType.allCases.map(\.rawValue))
        #expect(json["code_challenge_methods_supported"] as? [String] == ["S256"])
        #expect(json["authorization_response_iss_parameter_supported"] as? Bool == true)
        #expect(json["request_parameter_supported"] as? Bool == false)
        #expect(json["request_uri_parameter_supported"] as? Bool == false)
        let methods = ["client_secret_basic", "client_secret_post", "none"]
        #expect(json["token_endpoint_auth_methods_supported"] as? [String] == methods)
        #expect(json["introspection_endpoint_auth_methods_supported"] as? [String] == Array(methods.dropLast()))
    }

    @Test func `§2: a list without members is left out`() throws {
        #expect(try document(Example.issuer)["scopes_supported"] == nil)
    }
}
