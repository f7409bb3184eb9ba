public import AsyncHTTPClient
public import OAuth

/// Checks JWT access tokens by their signature, with the keys that the issuer publishes (RFC 9068 §4, RFC 8725).
///
/// A token must be of type `at+jwt`, signed with a published key by that key's own algorithm, come from `issuer`, be for
/// `audience`, have begun and not have expired. Keys that a token brings along (`jwk`, `jku`, `x5u`) are not looked at.
///
/// Once the keys are there, a check does no I/O. They are fetched at the first request, again when they are
/// `keyLifetime` old, and when a token names an unknown key, though for that reason at most once in two seconds, and for
/// a key that was looked for twice at most once in `refetchInterval`. However many requests wait, one fetch runs. When the
/// issuer cannot be reached, the keys at hand go on serving.
public struct OfflineVerifier: Sendable {
    private let issuer: String
    private let audience: String
    private let expiryTolerance: Duration
    private let startTolerance: Duration
    private let patience: Duration
    private let now: @Sendable () -> Instant
    private let keys: IssuerKeys

    /// Makes a verifier, which fetches nothing before the first token arrives.
    ///
    /// - Parameters:
    ///   - issuer: who must have issued a token, byte for byte as its metadata says.
    ///   - audience: whom a token must be for: this API's identifier.
    ///   - keysURL: where the key set is; found through the issuer's metadata (RFC 8414) when nil.
    ///   - expiryTolerance: how long after `exp` a token is still good. None by default: the clocks' difference costs a
    ///     partner one refresh.
    ///   - startTolerance: how far a token's `iat` or `nbf` may lie ahead of this machine's clock. Half a minute by
    ///     default: a fresh token must never be refused because two clocks differ.
    ///   - keyLifetime: how old the keys may become before they are fetched again.
    ///   - refetchInterval: how often one and the same unknown key may cause a fetch, and how often old keys are tried
    ///     again while the issuer does not answer; for those, `keyLifetime` if it is shorter.
    ///   - patience: how long a fetch of the keys, and a request that waits for it, may take.
    ///   - httpClient: with which the keys are fetched; an answer may have 64 KB.
    ///   - now: the clock.
    public init(
        issuer: String,
        audience: String,
        keysURL: String? = nil,
        expiryTolerance: Duration = .zero,
        startTolerance: Duration = .seconds(30),
        keyLifetime: Duration = .seconds(300),
        refetchInterval: Duration = .seconds(10),
        patience: Duration = .seconds(2),
        httpClient: HTTPClient = .shared,
        now: (@Sendable () -> Instant)? = nil
    ) {
        let now = now ?? Instant.systemTime
        self.issuer = issuer
        self.audience = audience
        self.expiryTolerance = expiryTolerance
        self.startTolerance = startTolerance
        self.patience = patience
        self.now = now
        keys = IssuerKeys(
            source: KeySetSource(issuer: issuer, keysURL: keysURL, patience: patience, httpClient: httpClient),
            lifetime: keyLifetime,
            refetchInterval: refetchInterval,
            now: now
        )
    }

    /// Checks a token.
    /// - Throws: `invalidToken` when it is not good for this API; `unavailable` while the key that it names cannot be
    ///   had because the issuer does not answer, or was asked for another one a moment ago.
    public func verify(_ text: String) async throws(BearerRefusal) -> VerifiedAccessToken {
        let deadline = ContinuousClock.now + patience
        var unknown: String?
        var opened = open(text, await keys.current(), &unknown)
        if opened == nil, let id = unknown {
            switch await keys.including(id, by: deadline) {
            case .keys(let newer): opened = open(text, newer, &unknown)
            case .unknown: break
            case .unavailable: throw .unavailable(retryAfter: Self.pause)
            }
        }
        guard let token = opened else {
            throw .invalidToken("the access token is malformed, was changed, or comes from another issuer")
        }
        return try check(token)
    }

    private func open(_ text: String, _ keys: [String: PublicKey], _ unknown: inout String?) -> AccessToken? {
        JWTAccessToken.open(text, issuer: issuer) { id in
            if keys[id] == nil { unknown = id }
            return keys[id]
        }
    }

    private func check(_ token: AccessToken) throws(BearerRefusal) -> VerifiedAccessToken {
        let now = now()
        guard let expiresAt = token.expiresAt, now < expiresAt + expiryTolerance else { throw .expired }
        guard token.issuedAt <= now + startTolerance else {
            throw .invalidToken("the access token is not good yet: a clock is wrong")
        }
        guard token.audiences.contains(audience) else { throw .notForUs }
        let subject = token.subject ?? token.client.text
        return VerifiedAccessToken(
            subject: subject,
            // RFC 9068 §2.2: in a client's own token the subject is the client.
            userID: subject == token.client.text ? nil : subject,
            clientID: token.client.text,
            scopes: token.scope.names,
            audiences: token.audiences,
            connectionID: token.connection?.description,
            expiresAt: expiresAt.date
        )
    }

    /// What a client is asked to wait when the issuer does not answer.
    private static let pause = Duration.seconds(2)
}
