/// A client that has proved who it is, or that is public and said so (RFC 6749 §2.3, §3.2.1).
///
/// Only `Client.authenticate` makes one, so that a function which takes it cannot be reached without.
public struct AuthenticatedClient: Sendable {
    /// The client.
    public let client: Client

    fileprivate init(_ client: Client) {
        self.client = client
    }
}

/// What a request shows of its client's identity, by Basic or in the body (RFC 6749 §2.3.1).
public struct ClientCredentials: Sendable {
    /// The client that the request says it comes from.
    public let id: ClientID

    /// Whether it came by an `Authorization` header, so that a refusal names the scheme (§5.2).
    public let isBasic: Bool

    /// The secret as it may have been meant: Basic is sent percent-encoded by some clients and raw by others.
    fileprivate let secrets: [Secret]

    /// Reads the credentials of a request.
    ///
    /// - Parameters:
    ///   - authorization: the `Authorization` header, or nil when there is none.
    ///   - form: the body's parameters.
    /// - Throws: `invalid_client` when there are none or they cannot be read; `invalid_request` when a secret came twice
    ///   or two different clients are named.
    public init(authorization: String?, form: Form) throws(OAuthError) {
        try form.refuseRepeated()
        let named = form["client_id"]
        guard let authorization, named == nil || Self.isBasic(authorization) else {
            guard let named else {
                throw OAuthError(
                    .invalidClient,
                    "no client authentication: send client_id and client_secret, or HTTP Basic",
                    about: "client_id"
                )
            }
            guard let id = ClientID(named) else { throw Self.unknown }
            self.id = id
            isBasic = false
            secrets = form["client_secret"].map { [Secret($0)] } ?? []
            return
        }
        guard form["client_secret"] == nil else {
            throw OAuthError(
                .invalidRequest,
                "the client secret was sent by HTTP Basic and in the body: use one of the two",
                about: "client_secret"
            )
        }
        guard let (user, password) = Self.basic(authorization),
            let id = PercentEncoding.decodeForm(user).flatMap(ClientID.init)
        else {
            throw OAuthError(
                .invalidClient,
                "the Authorization header is not HTTP Basic with a client_id and a secret",
                about: "Authorization"
            )
        }
        guard named == nil || named == id.text else {
            throw OAuthError(
                .invalidRequest,
                "client_id in the body is not the client of the Authorization header",
                about: "client_id"
            )
        }
        self.id = id
        isBasic = true
        let raw = String(decoding: password, as: UTF8.self)
        let decoded = PercentEncoding.decodeForm(password) ?? raw
        secrets = (decoded == raw ? [raw] : [raw, decoded]).filter { !$0.isEmpty }.map(Secret.init)
    }

    /// The refusal for a client that is not known and for a wrong secret alike: who is registered is nobody's business.
    public static let unknown = OAuthError(
        .invalidClient,
        "the client is not known, or its secret is wrong",
        about: "client_secret",
        expected: "one of the live secrets of this client"
    )

    /// Whether an `Authorization` header is meant to authenticate a client: other schemes say nothing of it (RFC 6749 §2.3.1).
    public static func isBasic(_ authorization: String) -> Bool {
        authorization.utf8.prefix { $0 != UInt8(ascii: " ") }.count == 5
            && authorization.lowercased().hasPrefix("basic")
    }

    /// RFC 7617: user and password around the first colon.
    private static func basic(_ header: String) -> (user: ArraySlice<UInt8>, password: ArraySlice<UInt8>)? {
        let parts = header.utf8.split(separator: UInt8(ascii: " "))
        guard parts.count == 2, Substring(parts[0]).lowercased() == "basic",
            let bytes = Base64URL.decodeStandard(Substring(parts[1])),
            let colon = bytes.firstIndex(of: UInt8(ascii: ":"))
        else { return nil }
        return (bytes[..<colon], bytes[(colon + 1)...])
    }
}

extension Client {
    /// Checks that a request comes from this client (RFC 6749 §2.3).
    ///
    /// - Parameters:
    ///   - credentials: what the request shows of its client's identity.
    ///   - acceptsTestSecrets: whether the server runs in test mode, where short secrets work.
    /// - Returns: this client, as one that has proved who it is or needs not.
    /// - Throws: `invalid_client` when the secret is missing, wrong or for tests only, when a public client sends one,
    ///   or when the client is disabled.
    public func authenticate(
        _ credentials: ClientCredentials,
        acceptsTestSecrets: Bool
    ) throws(OAuthError) -> AuthenticatedClient {
        guard !isDisabled else { throw OAuthError(.invalidClient, "the client is disabled") }
        guard !isPublic else {
            guard credentials.secrets.isEmpty else {
                throw OAuthError(
                    .invalidClient,
                    "this client is public: it has no secret and must not send one",
                    about: "client_secret"
                )
            }
            return AuthenticatedClient(self)
        }
        guard !credentials.secrets.isEmpty else {
            throw OAuthError(
                .invalidClient,
                "this client is confidential: its client_secret is missing",
                about: "client_secret"
            )
        }
        let method = credentials.isBasic ? ClientAuthenticationMethod.basic : .post
        guard authentication.contains(method) else {
            throw OAuthError(.invalidClient, "this client does not use \(method.rawValue)")
        }
        // Hashed once, however many of its secrets are live.
        let presented = credentials.secrets.map(\.digest)
        let matching = secrets.first { stored in presented.contains { $0.matches(stored.digest) } }
        guard let matching else { throw ClientCredentials.unknown }
        guard acceptsTestSecrets || !matching.isForTests else {
            throw OAuthError(
                .invalidClient,
                "this client's secret is for tests only; rotate it for a real one",
                about: "client_secret"
            )
        }
        return AuthenticatedClient(self)
    }
}

extension AuthenticatedClient {
    /// Checks that the client may use a grant.
    /// - Throws: `unauthorized_client` when it may not (RFC 6749 §5.2).
    public func mayUse(_ grant: GrantType) throws(OAuthError) {
        guard client.grants.contains(grant) else {
            throw OAuthError(
                .unauthorizedClient,
                "this client is not registered for the grant \(grant.rawValue)",
                about: "grant_type",
                expected: client.grants.map(\.rawValue).sorted().joined(separator: ", ")
            )
        }
    }
}
