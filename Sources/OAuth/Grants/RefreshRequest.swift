/// The refresh token grant (RFC 6749 §6, RFC 9700 §4.14).
public struct RefreshRequest: Sendable {
    /// The refresh token.
    public let token: Secret
    /// `redirect_uri`, which some partners repeat.
    private let redirectURI: String?
    /// What is asked of the new access token.
    private let wishes: TokenWishes

    init(_ form: Form) throws(OAuthError) {
        token = Secret(try form.required("refresh_token"))
        redirectURI = form["redirect_uri"]
        wishes = try TokenWishes(form)
    }

    /// What the law says of a refresh.
    public enum Verdict: Sendable, Equatable {
        /// Answer with the grant, whose refresh token is of a generation that is stored already; nothing is written.
        case answer(TokenGrant)
        /// Move the row to a newer generation by compare-and-set, then answer with the grant.
        case move(to: Int64, TokenGrant)
        /// Refuse and cut the connection: an old generation was used again (RFC 9700 §4.14.2).
        case reused(OAuthError)
        /// Refuse; nothing changes.
        case refuse(OAuthError)
    }

    /// Decides a refresh against the stored connection, whose MAC the token has proved to know.
    ///
    /// Everything that could refuse is checked before anything moves.
    /// - Parameters:
    ///   - connection: the stored connection.
    ///   - presented: the generation in the presented token.
    ///   - client: who asks.
    ///   - audiences: what this server issues tokens for.
    /// - Returns: what to do, and with which grant or error.
    public func check(
        _ connection: Connection,
        presented: Int64,
        by client: AuthenticatedClient,
        audiences: Audiences
    ) -> Verdict {
        guard connection.client == client.client.id, connection.isActive else { return .refuse(Self.unknown) }
        // It is the request that is wrong: for `invalid_grant` the partner would give the connection up.
        guard !client.client.tokenRequest.mustSend.contains(.redirectURI) || isOwnRedirect(client.client) else {
            return .refuse(client.client.foreignRedirect(redirectURI ?? ""))
        }
        let scope: Scope
        let audience: [String]
        do throws(OAuthError) {
            scope = try wishes.scope(within: connection.scope, for: client.client)
            audience = try audiences.narrowed(connection.resources, by: wishes, for: client.client)
        } catch {
            return .refuse(error)
        }
        func grant(_ generation: Int64) -> TokenGrant {
            TokenGrant(
                connection: connection,
                scope: scope,
                tellsScope: scope != (wishes.scope ?? connection.scope),
                audiences: audience,
                refreshGeneration: generation
            )
        }
        return switch RefreshPolicy.Step(client.client.refresh, current: connection.generation, presented: presented) {
        case .answer(let generation): .answer(grant(generation))
        case .move(let generation, let next): .move(to: generation, grant(next))
        case .reused: .reused(Self.reused)
        }
    }

    /// RFC 6749 §6 knows no `redirect_uri` here; where a profile demands it, it must be the client's.
    private func isOwnRedirect(_ client: Client) -> Bool {
        redirectURI.flatMap(client.redirectURI(matching:)) != nil
    }

    /// A token that nobody knows, one of another client and one of a cut connection, alike.
    public static let unknown = OAuthError(
        .invalidGrant,
        "the refresh token is not known, was revoked, or was issued to another client",
        about: "refresh_token",
        expected: "a refresh token of a live connection of this client"
    )

    /// A token of an old generation.
    public static let reused = OAuthError(
        .invalidGrant,
        "an old refresh token was used again; the connection has been revoked (RFC 9700 section 4.14.2)",
        about: "refresh_token",
        expected: "the newest refresh token of the connection"
    )
}

extension RefreshPolicy {
    /// What a presented generation means, given the current one.
    public enum Step: Sendable, Equatable {
        /// Answer with the token of `generation`; the row stays.
        case answer(generation: Int64)
        /// Move the row to `generation`, and answer with the token of `next`.
        case move(to: Int64, next: Int64)
        /// The token was replaced before: somebody has it who should not.
        case reused

        /// Decides by policy.
        ///
        /// A generation newer than the row knows carries a good MAC, so it was issued; the row must have been restored
        /// from a backup. It is accepted and the row follows.
        public init(_ policy: RefreshPolicy, current: Int64, presented: Int64) {
            self =
                switch policy {
                case _ where presented < current: .reused
                case .stable: .answer(generation: presented)
                case .successor where presented == current: .answer(generation: current + 1)
                case .successor: .move(to: presented, next: presented + 1)
                case .strict: .move(to: presented + 1, next: presented + 1)
                }
        }
    }
}
