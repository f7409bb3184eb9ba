public import AsyncHTTPClient
import FoundationEssentials
import Logging
import NIOCore
public import OAuth

/// Checks access tokens of either format, and API keys, by asking the authorization server (RFC 7662).
///
/// A cut connection is seen at once, or with a cache after at most `cacheLifetime`. When the authorization server does
/// not answer, requests are refused with 503 and `Retry-After`, never with a 401, unless a cached answer is young enough.
public struct IntrospectionVerifier: Sendable {
    private let url: String
    private let clientID: String
    private let clientSecret: Secret
    private let issuer: String?
    private let audience: String
    private let cache: IntrospectionCache?
    private let patience: Duration
    private let httpClient: HTTPClient
    private let now: @Sendable () -> Instant

    /// Makes a verifier.
    ///
    /// - Parameters:
    ///   - url: the introspection endpoint.
    ///   - clientID: by whom it is asked: a client that the authorization server knows as this API.
    ///   - clientSecret: that client's secret, sent by HTTP Basic (RFC 6749 §2.3.1).
    ///   - audience: whom a token must be for: this API's identifier.
    ///   - issuer: who must have issued a token, where the answer says it; nil takes the endpoint's word.
    ///   - cacheLifetime: how long an answer, good or bad, is believed. None by default; at most a minute.
    ///   - cacheLimit: how many answers are kept; the oldest goes first. A token is kept only as its SHA-256.
    ///   - patience: how long an answer may take.
    ///   - httpClient: with which the endpoint is asked; an answer may have 64 KB.
    ///   - now: the clock.
    public init(
        url: String,
        clientID: String,
        clientSecret: String,
        audience: String,
        issuer: String? = nil,
        cacheLifetime: Duration = .zero,
        cacheLimit: Int = 10_000,
        patience: Duration = .seconds(2),
        httpClient: HTTPClient = .shared,
        now: (@Sendable () -> Instant)? = nil
    ) {
        self.url = url
        self.clientID = clientID
        self.clientSecret = Secret(clientSecret)
        self.issuer = issuer
        self.audience = audience
        let lifetime = min(cacheLifetime, .seconds(60))
        cache = lifetime > .zero && cacheLimit > 0 ? IntrospectionCache(lifetime: lifetime, limit: cacheLimit) : nil
        self.patience = patience
        self.httpClient = httpClient
        self.now = now ?? Instant.systemTime
    }

    /// Checks an access token.
    /// - Throws: `invalidToken` when it is not good for this API; `unavailable` when the authorization server does not
    ///   answer, or does not accept this API's own credentials.
    public func verify(_ text: String) async throws(BearerRefusal) -> VerifiedAccessToken {
        switch try await verdict(text) {
        case .bad(let refusal): throw refusal
        case .key: throw .notAnAccessToken
        case .token(let token, let expiresAt):
            if let expiresAt, now() >= expiresAt { throw .expired }
            return token
        }
    }

    /// Checks an API key.
    /// - Throws: as `verify`.
    public func verifyKey(_ text: String) async throws(BearerRefusal) -> VerifiedAPIKey {
        switch try await verdict(text) {
        case .bad(let refusal): throw refusal
        case .token: throw .notAnAPIKey
        case .key(let key): return key
        }
    }

    private func verdict(_ text: String) async throws(BearerRefusal) -> IntrospectionVerdict {
        let digest = SecretDigest(of: text)
        let asked = now()
        if let known = cache?.verdict(digest, at: asked) { return known }
        let verdict = try await ask(text)
        // From when it was asked, not answered: the stated seconds are a promise about cut connections.
        cache?.keep(verdict, for: digest, at: asked)
        return verdict
    }

    private func ask(_ text: String) async throws(BearerRefusal) -> IntrospectionVerdict {
        do {
            let bytes = try await httpClient.bytes(
                posting: "token=\(PercentEncoding.encode(text))&token_type_hint=access_token",
                to: url,
                user: PercentEncoding.encode(clientID),
                password: PercentEncoding.encode(clientSecret.reveal()),
                deadline: .now() + TimeAmount(patience)
            )
            return try JSONDecoder().decode(IntrospectionAnswer.self, from: bytes)
                .verdict(issuer: issuer, audience: audience)
        } catch {
            // A FetchError of status 401 means that this API's own credentials are wrong: not the caller's fault.
            Self.logger.warning(
                "the credential cannot be introspected",
                metadata: ["url": "\(url)", "error": "\(error)"]
            )
            let pause = (error as? FetchError)?.retryAfter ?? 2
            throw .unavailable(retryAfter: .seconds(min(max(pause, 1), 60)))
        }
    }

    private static let logger = Logger(label: "OAuthGuard")
}
