/// The authorization code grant's token request (RFC 6749 §4.1.3, RFC 7636 §4.5).
public struct CodeRedemption: Sendable {
    /// The code.
    public let code: Secret
    /// `redirect_uri`, compared with the one of the authorization request.
    public let redirectURI: String?
    /// `code_verifier`.
    private let verifier: Secret?
    /// What is asked of the token.
    private let wishes: TokenWishes

    init(_ form: Form) throws(OAuthError) {
        code = Secret(try form.required("code"))
        redirectURI = form["redirect_uri"]
        verifier = form["code_verifier"].map(Secret.init)
        wishes = try TokenWishes(form)
    }

    /// What the law says of a redemption.
    public enum Verdict: Sendable, Equatable {
        /// Redeem it now, if nobody else has.
        case redeem(scope: Scope, audiences: [String])
        /// Refuse; the code stays good for whom it belongs to.
        case refuse(OAuthError)
        /// Refuse and count: after a few wrong verifiers the code is dead.
        case refuseAndCount(OAuthError)
        /// Refuse and cut the connection that the first redemption made (RFC 6749 §4.1.2, RFC 9700 §4.2.4).
        case replayed(OAuthError)
    }

    /// Decides a redemption against the stored code.
    ///
    /// A wrong client, redirect URI or verifier never burns the code, and never cuts what somebody else redeemed: only
    /// a second redemption that is otherwise right does (OAuth 2.1 §4.1.3).
    /// - Parameters:
    ///   - stored: the code as it was issued.
    ///   - client: who asks.
    ///   - audiences: what this server issues tokens for.
    ///   - now: the time of the request.
    /// - Returns: what to do, and with which scope and audiences or which error.
    public func check(
        _ stored: AuthorizationCode,
        by client: AuthenticatedClient,
        audiences: Audiences,
        now: Instant
    ) -> Verdict {
        guard stored.client == client.client.id, stored.failures < AuthorizationCode.failureLimit else {
            return .refuse(Self.unknown)
        }
        // By bytes: for Swift's == some letters outside of ASCII equal ASCII's.
        guard redirectURI.map({ $0.utf8.elementsEqual(stored.redirectURI.utf8) }) ?? mayOmitRedirect(stored, client)
        else {
            return .refuse(
                OAuthError(
                    .invalidGrant,
                    "redirect_uri is not the one of the authorization request (RFC 6749 section 4.1.3)",
                    about: "redirect_uri",
                    expected: stored.redirectURI
                )
            )
        }
        if let proofKey = stored.proofKey {
            do throws(OAuthError) { try proofKey.check(verifier?.reveal()) } catch { return .refuseAndCount(error) }
        } else if verifier != nil {
            // RFC 9700 §4.8.2: somebody took the challenge out of the authorization request.
            return .refuseAndCount(
                OAuthError(
                    .invalidGrant,
                    "code_verifier was sent, but the authorization request had no code_challenge",
                    about: "code_verifier"
                )
            )
        }
        guard stored.redeemedAt == nil else { return .replayed(Self.replayed) }
        guard stored.isGood(for: client.client, at: now) else {
            let seconds = client.client.codeLifetime.components.seconds
            return .refuse(
                OAuthError(.invalidGrant, "the code has expired: it is good for \(seconds) seconds", about: "code")
            )
        }
        do throws(OAuthError) {
            let scope = try wishes.scope(within: stored.scope, for: client.client)
            let audience = try audiences.narrowed(stored.resources, by: wishes, for: client.client)
            return .redeem(scope: scope, audiences: audience)
        } catch {
            return .refuse(error)
        }
    }

    /// RFC 6749 §4.1.3 wants it repeated when the authorization request named it; a profile may do without.
    private func mayOmitRedirect(_ stored: AuthorizationCode, _ client: AuthenticatedClient) -> Bool {
        !stored.redirectWasNamed || client.client.tokenRequest.mayOmit.contains(.redirectURI)
    }

    /// The grant that a redeemed code ends in.
    ///
    /// - Parameters:
    ///   - code: the code as it was issued.
    ///   - connection: the connection that was made of it.
    ///   - scope: what the access token may do.
    ///   - audiences: whom it is for.
    ///   - client: who gets it.
    /// - Returns: what tokens are minted of; a client that may refresh gets the connection's first refresh token.
    public static func grant(
        of code: AuthorizationCode,
        connection: Connection,
        scope: Scope,
        audiences: [String],
        to client: AuthenticatedClient
    ) -> TokenGrant {
        TokenGrant(
            connection: connection,
            scope: scope,
            tellsScope: !code.scopeWasAsked || scope != code.scope,
            audiences: audiences,
            refreshGeneration: client.client.grants.contains(.refreshToken) ? connection.generation : nil
        )
    }

    /// A code that nobody knows, and a code of another client, alike.
    public static let unknown = OAuthError(
        .invalidGrant,
        "the code is not known, or was issued to another client",
        about: "code",
        expected: "a code that was issued to this client and not used yet"
    )

    /// A code that was redeemed before.
    public static let replayed = OAuthError(
        .invalidGrant,
        "the code was redeemed before; what it gave has been revoked (RFC 6749 section 4.1.2)",
        about: "code"
    )
}
