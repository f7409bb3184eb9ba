// What the partner hears over HTTP, and how it writes texts and random values there.

import FoundationEssentials

/// An HTTP answer.
struct Answer: Sendable {
    let status: Int
    let body: Data

    /// Says in words what came instead of what was asked for.
    func trouble(_ who: String) -> PartnerTrouble {
        let text = String(decoding: body.prefix(500), as: UTF8.self)
        let error = try? JSONDecoder().decode(TokenError.self, from: body).error
        return PartnerTrouble(
            text: "\(who) answered \(status): \(text)",
            isEnd: status == 400 && error == "invalid_grant"
        )
    }
}

/// A refusal of the token endpoint (RFC 6749 §5.2).
private struct TokenError: Decodable {
    let error: String
}

/// Something that the partner's page must tell.
struct PartnerTrouble: Error {
    let text: String
    /// Whether the connection has ended.
    var isEnd = false
}

// MARK: Small things

/// 256 random bits as text: a state, a verifier (RFC 7636 §4.1), a session.
func randomText() -> String {
    base64URL((0..<32).map { _ in UInt8.random(in: .min ... .max) })
}

/// Bytes as base64url without padding.
func base64URL(_ bytes: some Sequence<UInt8>) -> String {
    Data(bytes).base64EncodedString()
        .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
}

/// Parameters as a form's body, or as a query.
func formEncoded(_ parameters: [(String, String)]) -> String {
    parameters.map { "\($0)=\(percentEncoded($1))" }.joined(separator: "&")
}

/// A text with everything percent-encoded that is not unreserved.
func percentEncoded(_ text: String) -> String {
    let unreserved = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~".utf8)
    return text.utf8.map { byte in
        if unreserved.contains(byte) { return String(UnicodeScalar(byte)) }
        return "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
    }.joined()
}
