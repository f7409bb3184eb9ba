/// Introspection of API keys (RFC 7662 §2.2, with a `token_type` of our own; ADR 0009).
extension Introspection {
    /// The answer for an API key.
    ///
    /// A key belongs to no client, so the only ones who learn of it are the resource servers that it is for (§4).
    ///
    /// - Parameters:
    ///   - key: the key as it is stored; nil when there is none.
    ///   - caller: who asks.
    ///   - audiences: says what a key that names no audience is for.
    ///   - issuer: this server's issuer.
    /// - Returns: what the key stands for while it lives, else `inactive`.
    public static func answer(
        for key: APIKey?,
        caller: AuthenticatedClient,
        audiences: Audiences,
        issuer: String
    ) -> [UInt8] {
        guard let key, key.isActive else { return inactive }
        let meant = audiences.meant(by: key.audiences)
        guard meant.contains(where: caller.client.audiences.contains) else { return inactive }
        var writer = JSONWriter()
        writer.member("active", true)
        writer.member("scope", key.scope.description)
        writer.member("token_type", "api_key")
        writer.member("iat", key.createdAt.seconds)
        if let account = key.account {
            writer.member("sub", account.description)
            writer.member("user_id", account.description)
        }
        writer.audience(meant)
        writer.member("iss", issuer)
        writer.member("api_key_id", key.id.description)
        writer.member("name", key.name)
        return writer.finish()
    }
}
