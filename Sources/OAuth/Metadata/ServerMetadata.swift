/// Authorization server metadata (RFC 8414 §2), which says what this server does and nothing else.
public struct ServerMetadata: Sendable {
    /// The issuer, as configured.
    public let issuer: String
    /// Where the endpoints are: the issuer without a trailing slash.
    public let base: String
    /// The scopes that the settings name.
    public let scopes: [String]

    /// Makes the metadata of an issuer.
    public init(issuer: String, scopes: [String]) {
        self.issuer = issuer
        base = issuer.hasSuffix("/") ? String(issuer.dropLast()) : issuer
        self.scopes = scopes
    }

    /// The JSON document.
    public var json: [UInt8] {
        let authentication = ["client_secret_basic", "client_secret_post", "none"]
        var writer = JSONWriter()
        writer.member("issuer", issuer)
        writer.member("authorization_endpoint", base + "/oauth/authorize")
        writer.member("token_endpoint", base + "/oauth/token")
        writer.member("revocation_endpoint", base + "/oauth/revoke")
        writer.member("introspection_endpoint", base + "/oauth/introspect")
        writer.member("userinfo_endpoint", base + "/oauth/userinfo")
        writer.member("jwks_uri", base + "/oauth/jwks")
        if !scopes.isEmpty { writer.member("scopes_supported", scopes) }
        writer.member("response_types_supported", ["code"])
        writer.member("response_modes_supported", ["query"])
        writer.member("grant_types_supported", GrantType.allCases.map(\.rawValue))
        writer.member("token_endpoint_auth_methods_supported", authentication)
        writer.member("revocation_endpoint_auth_methods_supported", authentication)
        writer.member("introspection_endpoint_auth_methods_supported", ["client_secret_basic", "client_secret_post"])
        writer.member("code_challenge_methods_supported", ["S256"])
        writer.member("authorization_response_iss_parameter_supported", true)
        writer.member("prompt_values_supported", ["none", "login", "consent", "select_account"])
        writer.member("ui_locales_supported", ["en", "de"])
        writer.member("request_parameter_supported", false)
        writer.member("request_uri_parameter_supported", false)
        return writer.finish()
    }
}
