/// A checked authorization request (RFC 6749 §4.1.1): the client is known and the redirect URI is its own.
public struct AuthorizationRequest: Sendable {
    /// Who asks.
    public let client: Client
    /// Where the answer goes.
    public let redirect: VerifiedRedirect
    /// What is asked for, or the client's default.
    public let scope: Scope
    /// Whether `scope` is exactly what was asked, so that the answer need not repeat it (RFC 6749 §3.3).
    public let scopeWasAsked: Bool
    /// The audiences asked for, as they are registered (RFC 8707 §2); empty for the default one.
    public let resources: [String]
    /// The challenge that the code will be bound to (RFC 7636), if one was sent.
    public let proofKey: ProofKey?
    /// How far the person is to be bothered.
    public let prompt: Prompt
    /// How old a sign-in may be (OpenID Connect Core §3.1.2.1).
    public let maxAge: Duration?
    /// Who the client thinks will sign in: an e-mail address.
    public let loginHint: String?
    /// The languages the client asks for, best first.
    public let locales: String?
    /// Returned unchanged in an ID token (OpenID Connect Core §3.1.2.1).
    public let nonce: String?

    /// Checks everything that may be answered by a redirect, once client and redirect URI are known to be good.
    ///
    /// - Parameters:
    ///   - form: the request's parameters.
    ///   - client: the client that they name.
    ///   - redirect: where the answer goes.
    ///   - audiences: the resources that this server issues tokens for.
    /// - Throws: the first error, in the order of the lines below; it goes to `redirect`.
    public init(
        _ form: Form,
        client: Client,
        redirect: VerifiedRedirect,
        audiences: [String]
    ) throws(OAuthError) {
        try form.refuseRepeated()
        guard form["request"] == nil else {
            throw OAuthError(.requestNotSupported, "request objects are not supported (RFC 9101)", about: "request")
        }
        guard form["request_uri"] == nil else {
            throw OAuthError(.requestURINotSupported, "request_uri is not supported (RFC 9101)", about: "request_uri")
        }
        try Self.checkResponseType(form["response_type"], client.authorizationRequest)
        guard ["query", nil].contains(form["response_mode"]) else {
            throw OAuthError(.invalidRequest, "only response_mode=query is supported", about: "response_mode")
        }
        guard client.grants.contains(.authorizationCode) else {
            throw OAuthError(.unauthorizedClient, "this client is not registered for the grant authorization_code")
        }
        for name in Self.limitedParameters {
            guard (form[name]?.utf8.count ?? 0) <= Self.lengthLimit else {
                throw OAuthError(
                    .invalidRequest,
                    "the parameter '\(name)' is longer than \(Self.lengthLimit) characters",
                    about: name
                )
            }
        }
        proofKey = try ProofKey(form, rule: client.proofKey)
        if let asked = form["scope"] {
            scope = try Scope(asked)
            guard scope.isSubset(of: client.scopes) else {
                throw OAuthError(.invalidScope, "this client may only ask for: \(client.scopes)", about: "scope")
            }
            scopeWasAsked = true
        } else {
            scope = client.defaultScopes
            scopeWasAsked = false
        }
        guard let named = Audiences.registered(try form.resources(), among: audiences) else {
            throw OAuthError(
                .invalidTarget,
                "resource names nothing that this server issues tokens for",
                about: "resource",
                expected: audiences.joined(separator: " ")
            )
        }
        resources = named
        prompt = try Prompt(form["prompt"], rule: client.prompt)
        maxAge = try form["max_age"].map { text throws(OAuthError) in try Self.age(text) }
        loginHint = form["login_hint"]
        locales = form["ui_locales"]
        nonce = form["nonce"]
        guard nonce?.utf8.contains(0) != true else {
            throw OAuthError(.invalidRequest, "nonce holds a NUL character")
        }
        self.client = client
        self.redirect = redirect
    }

    /// RFC 6749 §3.1.1, where a profile may do without it.
    private static func checkResponseType(
        _ responseType: String?,
        _ rules: AuthorizationRequestRules
    ) throws(OAuthError) {
        guard let responseType else {
            guard rules.mayOmit.contains(.responseType) else {
                throw OAuthError(
                    .invalidRequest,
                    "response_type is missing: send response_type=code",
                    about: "response_type"
                )
            }
            return
        }
        guard responseType == "code" else {
            throw OAuthError(
                .unsupportedResponseType,
                "only response_type=code is supported",
                about: "response_type"
            )
        }
    }

    /// A number of seconds, in digits alone.
    private static func age(_ text: String) throws(OAuthError) -> Duration {
        guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let seconds = UInt32(text)
        else {
            throw OAuthError(
                .invalidRequest,
                "max_age must be a whole number of seconds, 0 or more",
                about: "max_age"
            )
        }
        return .seconds(Int64(seconds))
    }

    /// The parameters that mean something here; others are ignored (RFC 6749 §3.1).
    public static let parameterNames = [
        "client_id", "redirect_uri", "response_type", "response_mode", "state", "scope", "code_challenge",
        "code_challenge_method", "resource", "prompt", "max_age", "login_hint", "ui_locales", "nonce",
    ]

    /// The longest value that is kept with the authorization; `state` has a limit of its own.
    public static let lengthLimit = 2000

    private static let limitedParameters = ["scope", "prompt", "login_hint", "ui_locales", "nonce"]
}
