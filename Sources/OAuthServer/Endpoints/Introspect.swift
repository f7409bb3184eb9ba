import Hummingbird
import OAuth
import OAuthStore

/// Token introspection (RFC 7662), only for callers that the token is meant for.
extension Provider {
    func introspect(_ request: Request, _ context: DoorContext) async throws -> Response {
        var form = Form()
        do {
            form = try await self.form(request)
            return try await introspect(form, request, context)
        } catch {
            throw ClientRefusal(cause: error, client: await note(error, at: .introspect, form, request, context))
        }
    }

    private func introspect(_ form: Form, _ request: Request, _ context: DoorContext) async throws -> Response {
        let now = ambient.now()
        let caller = try await authenticate(form, request, context, now: now)
        guard !caller.client.isPublic else {
            throw OAuthError(.unauthorizedClient, "a public client cannot introspect: it proves nothing")
        }
        return json(try await introspection(of: try form.required("token"), for: caller, context, now))
    }

    private func introspection(
        of text: String,
        for caller: AuthenticatedClient,
        _ context: DoorContext,
        _ now: Instant
    ) async throws -> [UInt8] {
        let issuer = settings.issuer.text
        let keys = node.keys
        if APIKeyText.isWellFormed(text) { return try await introspection(ofKey: text, for: caller, context, now) }
        switch TokenText(text, issuer: issuer, keys: keys, now: now) {
        case .access(let token):
            guard !token.hasEnded(at: now), let client = try await client(token.client), !client.isDisabled,
                Introspection.isHeld(token, by: client, at: now)
            else { return Introspection.inactive }
            let state = try await step("ledger token state") { try await store.state(of: token) }
            let today = token.today(of: client, state.connection, audiences: audiences)
            guard Introspection.mayRead(today, caller: caller) else { return Introspection.inactive }
            let answer = Introspection.answer(
                for: today,
                connection: state.connection,
                isRevoked: state.isRevoked,
                issuer: issuer
            )
            // Where no refresh tells that a connection is in use, its token's use does.
            if !client.getsRefreshTokens, let connection = state.connection, answer != Introspection.inactive {
                node.uses.note(connection, at: now)
            }
            return answer
        case .refresh(let token):
            let connection = try await store.connection(token.connection)
            if connection.map({ !token.isGenuine(nonce: $0.nonce, keys: keys) }) ?? true {
                try countUnknownToken(caller.client.id, context, now)
            }
            return Introspection.answer(for: token, connection: connection, caller: caller, keys: keys, issuer: issuer)
        case .dead:
            return Introspection.inactive
        case .unknown:
            try countUnknownToken(caller.client.id, context, now)
            return Introspection.inactive
        }
    }

    private func introspection(
        ofKey text: String,
        for caller: AuthenticatedClient,
        _ context: DoorContext,
        _ now: Instant
    ) async throws -> [UInt8] {
        let key = try await store.apiKey(SecretDigest(of: text))
        if key == nil { try countUnknownToken(caller.client.id, context, now) }
        let answer = Introspection.answer(
            for: key,
            caller: caller,
            audiences: audiences,
            issuer: settings.issuer.text
        )
        if let key, answer != Introspection.inactive { node.keyUses.note(key, at: now) }
        return answer
    }

    /// Who tries out one token after another is slowed down (RFC 7662 §4); a token that is ours is never counted.
    private func countUnknownToken(
        _ client: ClientID,
        _ context: DoorContext,
        _ now: Instant
    ) throws(OAuthError) {
        guard let (wait, isFirst) = suspicions.unknownTokens.count(client, at: now) else { return }
        if isFirst { observe(.tokensTriedOut(client), context) }
        throw OAuthError(
            .slowDown,
            "too many tokens that this server never issued; those that it did issue are not affected",
            retryAfter: wait
        )
    }
}
