public import HTTPTypes

/// API keys beside access tokens, for an API that takes both: the header in which a key comes, and who checks it.
///
/// ```swift
/// BearerTokenMiddleware(.offline(verifier), apiKeys: APIKeyHeader(introspection))
/// ```
///
/// A key in the `Authorization` header, an access token in this one, and both at once are refused.
public struct APIKeyHeader: Sendable {
    /// The header's name.
    public let name: HTTPField.Name
    let verifier: IntrospectionVerifier

    /// Switches keys on.
    ///
    /// - Parameters:
    ///   - verifier: asks the authorization server about a key; nothing else can check one.
    ///   - name: the header's name; `Token` by default.
    public init(_ verifier: IntrospectionVerifier, name: HTTPField.Name? = nil) {
        self.verifier = verifier
        self.name = name ?? Self.token
    }

    private static let token: HTTPField.Name = {
        guard let name = HTTPField.Name("Token") else { preconditionFailure("Token is a header name") }
        return name
    }()
}
