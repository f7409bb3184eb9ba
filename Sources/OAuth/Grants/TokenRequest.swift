/// What a token request asks for: the one place where `grant_type` is looked at (RFC 6749 §4.1.3, §4.4.2, §6).
public enum TokenRequest: Sendable {
    case authorizationCode(CodeRedemption)
    case refreshToken(RefreshRequest)
    case clientCredentials(ClientCredentialsRequest)

    /// What the token endpoint reads, credentials included; all else is ignored (RFC 6749 §3.2).
    public static let parameterNames: Set<String> = [
        "grant_type", "code", "redirect_uri", "code_verifier", "refresh_token", "scope", "resource", "client_id",
        "client_secret",
    ]

    /// Reads a token request.
    ///
    /// - Parameters:
    ///   - form: the request's parameters.
    ///   - rules: what its client may leave out.
    /// - Throws: `invalid_request` for a missing, malformed or repeated parameter; `unsupported_grant_type`.
    public init(_ form: Form, rules: TokenRequestRules) throws(OAuthError) {
        try form.refuseRepeated()
        if rules.mayOmit.contains(.grantType), form["grant_type"] == nil {
            self = .authorizationCode(try CodeRedemption(form))
            return
        }
        let name = try form.required("grant_type")
        guard let grant = GrantType(rawValue: name) else {
            let known = GrantType.allCases.map(\.rawValue).joined(separator: ", ")
            throw OAuthError(
                .unsupportedGrantType,
                "this grant_type is not supported; known are: \(known)",
                about: "grant_type"
            )
        }
        self =
            switch grant {
            case .authorizationCode: .authorizationCode(try CodeRedemption(form))
            case .refreshToken: .refreshToken(try RefreshRequest(form))
            case .clientCredentials: .clientCredentials(try ClientCredentialsRequest(form))
            }
    }
}
