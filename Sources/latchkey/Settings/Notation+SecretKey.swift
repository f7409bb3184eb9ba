import OAuth
import OAuthServer

extension SecretKey {
    /// Reads 32 bytes in base64, in the standard or the URL-safe alphabet.
    init?(base64 text: String) {
        guard text.utf8.count <= 44, let bytes = Base64URL.decodeStandard(text) else { return nil }
        self.init(bytes: bytes)
    }
}

extension Notation where Value == SecretKey {
    static var secretKey: Self {
        Notation(
            expected: "32 bytes in base64, as `openssl rand -base64 32` prints them",
            read: SecretKey.init(base64:),
            show: { _ in "***" }
        )
    }
}
