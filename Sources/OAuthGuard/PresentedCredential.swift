import HTTPTypes
import Hummingbird
import HummingbirdCore
import OAuth

/// What a request authenticates with, read from its header and from nowhere else (RFC 6750 §2.1).
///
/// A token in the URL ends up in logs, histories and referrers, so it is refused even when it is good (RFC 9700
/// §4.3.2). A form body is not looked into: RFC 6750 §2.2 makes that optional, and the body belongs to the handler.
enum PresentedCredential {
    case accessToken(String)
    case apiKey(String)

    /// Reads a request.
    ///
    /// - Parameters:
    ///   - request: the request.
    ///   - keyHeader: where API keys stand, if the API takes them.
    /// - Throws: `noToken`; `invalidRequest` for more than one method (RFC 6750 §2); `invalidToken` for what can be no
    ///   credential of its header.
    init(_ request: Request, keyHeader: HTTPField.Name?) throws(BearerRefusal) {
        let authorizations = request.headers[values: .authorization]
        let keys = keyHeader.map { request.headers[values: $0] } ?? []
        let isInURL = request.uri.queryParameters.has("access_token")
        guard authorizations.count + keys.count < 2, !isInURL || authorizations.isEmpty && keys.isEmpty else {
            let header =
                keyHeader.map { "Authorization or \($0.rawName), one of them" } ?? "one Authorization header"
            throw .invalidRequest("the request authenticates in more than one way: send \(header)")
        }
        guard !isInURL else {
            throw .invalidRequest("an access token in the URL is never accepted: send it in the Authorization header")
        }
        if let key = keys.first {
            guard APIKeyText.isWellFormed(key) else { throw .notAnAPIKey }
            self = .apiKey(key)
            return
        }
        switch BearerToken.read(authorizations.first) {
        case .none: throw .noToken
        // A malformed token is an invalid one (RFC 6750 §3.1), and a client that hears 401 knows how to get a better one.
        case .malformed: throw .invalidToken("the Authorization header must be 'Bearer', one space and the token")
        case .token(let text):
            guard !APIKeyText.isWellFormed(text) else { throw .notAnAccessToken }
            self = .accessToken(text)
        }
    }
}

extension BearerRefusal {
    static let notAnAccessToken = BearerRefusal.invalidToken(
        "this is an API key, not an access token: send it in the header that the API names for keys"
    )
    static let notAnAPIKey = BearerRefusal.invalidToken(
        "this is no API key: a key starts with \(APIKeyText.prefix); an access token belongs in 'Authorization: Bearer'"
    )
}
