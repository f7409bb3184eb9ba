/// The opaque form of an access token: `lka_` and a sealed content that only this server reads; no row is kept.
///
/// Its identifier is the sealed text's own, so to anybody else every character after the prefix is random.
public enum OpaqueAccessToken {
    /// Every opaque access token starts so.
    public static let prefix = "lka_"

    /// Seals a token.
    public static func seal(_ token: AccessToken, key: TokenKey) throws -> Secret {
        var content = FieldWriter(version: version)
        content.write(token.issuedAt)
        content.write(token.expiresAt ?? never)
        content.write(token.connection?.bytes ?? [])
        content.write(token.client.text)
        content.write(token.subject ?? "")
        content.write(token.scope.description)
        content.write(token.audiences.joined(separator: " "))
        return Secret(try SealedText.seal(content.bytes, id: token.id, key: key.seal, after: prefix))
    }

    /// Opens a presented token.
    /// - Returns: nil when this server did not make it, to the last bit. Whether it has expired is not looked at.
    public static func open(_ text: String, keys: KeyRing) -> AccessToken? {
        guard text.hasPrefix(prefix),
            let sealed = SealedText.open(text.utf8.dropFirst(prefix.utf8.count), keys: keys.sealKeys),
            var content = FieldReader(sealed.content, version: version),
            let issuedAt = content.instant(), let expiresAt = content.instant(), let connection = content.bytes(),
            let client = content.text().flatMap({ ClientID($0) }), let subject = content.text(),
            let scope = content.text().flatMap({ try? Scope($0) }), let audiences = content.text(), content.isAtEnd
        else { return nil }
        return AccessToken(
            id: sealed.id,
            connection: ConnectionID(bytes: connection),
            client: client,
            subject: subject.isEmpty ? nil : subject,
            scope: scope,
            audiences: audiences.spaceSeparated,
            issuedAt: issuedAt,
            expiresAt: expiresAt == never ? nil : expiresAt
        )
    }

    /// Stands for no end; a release that does not know it takes such a token for one that ended long ago.
    private static let never = Instant(milliseconds: .min)

    private static let version: UInt8 = 1
}
