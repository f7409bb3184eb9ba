/// A place to which an authorization response may be sent: "may we redirect?" answered once, as a type (RFC 9700 §4.11).
public struct VerifiedRedirect: Sendable {
    /// The URI of the request, byte for byte.
    public let uri: String
    /// The same URI in its parts; on loopback its port is the request's own, not the registered one.
    public let endpoint: RedirectURI
    /// Whether the request named it; RFC 6749 §4.1.3 wants it named in the token request then too.
    public let wasNamed: Bool
    /// The client's `state`, returned unchanged (RFC 6749 §4.1.2).
    public let state: String?
    /// Our issuer, when this client's responses carry it (RFC 9207).
    private let issuer: String?

    /// Finds the redirect URI of a request.
    ///
    /// - Parameters:
    ///   - form: the request's parameters; `redirect_uri` and `state` are read.
    ///   - client: the client that the request names.
    ///   - issuer: this server's issuer.
    /// - Throws: `invalid_request` when it is missing, repeated, malformed or not registered. Nothing may be redirected then.
    public init(_ form: Form, client: Client, issuer: String) throws(OAuthError) {
        guard !form.repeated.contains("redirect_uri"), !form.repeated.contains("client_id") else {
            throw OAuthError(
                .invalidRequest,
                "client_id or redirect_uri was sent more than once",
                about: "redirect_uri"
            )
        }
        guard !client.redirectURIs.isEmpty || !client.redirectHosts.isEmpty else {
            throw OAuthError(.unauthorizedClient, "this client has no redirect URI and cannot ask people for access")
        }
        if let requested = form["redirect_uri"] {
            guard let matching = client.redirectURI(matching: requested) else {
                throw client.foreignRedirect(requested)
            }
            uri = requested
            endpoint = matching.text == requested ? matching : try RedirectURI(requested)
            wasNamed = true
        } else {
            guard client.redirectURIs.count == 1, client.redirectHosts.isEmpty else {
                throw OAuthError(
                    .invalidRequest,
                    "redirect_uri is missing, and this client has more than one",
                    about: "redirect_uri",
                    expected: client.expectedRedirects
                )
            }
            endpoint = client.redirectURIs[0]
            uri = endpoint.text
            wasNamed = false
        }
        let state = form["state"]
        guard (state?.utf8.count ?? 0) <= Self.stateLimit else {
            throw OAuthError(.invalidRequest, "state is longer than \(Self.stateLimit) bytes", about: "state")
        }
        guard state == nil || !(endpoint.query.flatMap { try? Form(String($0)) }?.names("state") ?? false) else {
            throw OAuthError(
                .invalidRequest,
                "state was sent beside redirect_uri and in its query: send one of the two",
                about: "state"
            )
        }
        self.state = state
        self.issuer = client.sendsIssuer ? issuer : nil
    }

    /// The longest `state` that is returned, in bytes.
    public static let stateLimit = 8192

    /// The URI that carries a code to the client (RFC 6749 §4.1.2).
    public func granted(code: Secret) -> String {
        appending([("code", code.reveal())])
    }

    /// The URI that carries a refusal to the client (RFC 6749 §4.1.2.1).
    public func refused(_ error: OAuthError) -> String {
        appending([("error", error.code.rawValue), ("error_description", error.description)])
    }

    /// The registered URI's own query is kept byte for byte.
    private func appending(_ parameters: [(String, String)]) -> String {
        let all =
            parameters + [("state", state), ("iss", issuer)].compactMap { name, value in value.map { (name, $0) } }
        let query = all.map { "\($0.0)=\(PercentEncoding.encode($0.1))" }.joined(separator: "&")
        guard let mark = uri.utf8.firstIndex(of: UInt8(ascii: "?")) else { return uri + "?" + query }
        return uri + (uri.utf8.index(after: mark) == uri.endIndex ? "" : "&") + query
    }
}

extension Client {
    /// Why a redirect URI that is none of the client's is refused.
    func foreignRedirect(_ requested: String) -> OAuthError {
        OAuthError(
            .invalidRequest,
            "redirect_uri "
                + (RedirectURI.fault(in: requested) ?? "is not registered for this client: \(redirectRule)"),
            about: "redirect_uri",
            expected: expectedRedirects
        )
    }

    /// The redirect URIs that would have been good.
    fileprivate var expectedRedirects: String {
        (redirectURIs.map(\.text) + redirectHosts.map { "https://*.\($0.domain)" }).joined(separator: " ")
    }

    /// What a redirect URI of this client must be, in words.
    private var redirectRule: String {
        guard let domain = redirectHosts.first?.domain else { return "it must be exactly one of the registered URIs" }
        return "it must lead to https at a host below \(domain), or be one of the registered URIs"
    }
}
