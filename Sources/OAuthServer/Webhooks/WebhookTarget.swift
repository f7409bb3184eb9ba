import Crypto
import Foundation
import OAuth

/// Where webhooks go, and what they are signed with (Standard Webhooks).
public struct WebhookTarget: Sendable {
    /// The company's receiver: https, or http on loopback.
    public let url: String
    /// Every live secret; each signs, so that the receiver can change over in peace.
    let secrets: [SymmetricKey]

    /// Checks the settings.
    /// - Returns: nil when the URL or a secret is not what is expected.
    public init?(url: String, secrets: [String]) {
        guard Self.isAllowed(url), (1...4).contains(secrets.count) else { return nil }
        var keys: [SymmetricKey] = []
        for secret in secrets {
            guard let key = Self.key(secret) else { return nil }
            keys.append(key)
        }
        self.url = url
        self.secrets = keys
    }

    /// https anywhere, http on loopback only; no user information and no fragment.
    ///
    /// Private addresses are allowed: receivers inside the company's network are the rule. Only who may write the server's
    /// settings names the URL, redirects are not followed, and nothing of the answer but its status is kept.
    public static func isAllowed(_ url: String) -> Bool {
        guard url.utf8.count <= 2000, url.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), !url.contains("#"),
            let parts = URLComponents(string: url), parts.user == nil, parts.password == nil,
            let host = parts.host, !host.isEmpty
        else { return false }
        switch parts.scheme?.lowercased() {
        case "https": return true
        case "http": return ["localhost", "127.0.0.1", "[::1]", "::1"].contains(host.lowercased())
        default: return false
        }
    }

    /// Whether a text is a secret: `whsec_` and 24 to 64 bytes in base64.
    public static func isSecret(_ text: String) -> Bool { key(text) != nil }

    private static func key(_ text: String) -> SymmetricKey? {
        guard text.hasPrefix(secretPrefix), let bytes = Data(base64Encoded: String(text.dropFirst(secretPrefix.count))),
            (24...64).contains(bytes.count)
        else { return nil }
        return SymmetricKey(data: bytes)
    }

    /// Every secret starts so.
    public static let secretPrefix = "whsec_"

    /// Makes a new secret of 32 random bytes.
    public static func makeSecret(random: [UInt8]) -> String {
        secretPrefix + Data(random).base64EncodedString()
    }

    /// The header `webhook-signature`: HMAC-SHA-256 over `id.timestamp.body` under each secret.
    func signature(id: String, timestamp: Int64, body: String) -> String {
        let content = Array("\(id).\(timestamp).\(body)".utf8)
        return secrets.map { key in
            "v1," + Data(HMAC<SHA256>.authenticationCode(for: content, using: key)).base64EncodedString()
        }.joined(separator: " ")
    }
}
