public import HTTPTypes
public import Hummingbird
import OAuth

/// Why a request to a protected resource was refused (RFC 6750 §3), and the one place where that becomes an answer.
public enum BearerRefusal: HTTPResponseError, Equatable {
    /// The request has no bearer token: 401 with a challenge that names no error (RFC 6750 §3.1).
    case noToken

    /// The token was sent in a way that is not understood or not accepted: 400 `invalid_request`. The text says which.
    case invalidRequest(String)

    /// The token is malformed, expired, cut, forged or for somebody else: 401 `invalid_token`. The text says which.
    case invalidToken(String)

    /// The token is good but does not allow this: 403 `insufficient_scope` with the scopes that are needed.
    case insufficientScope([String])

    /// Nobody can say now whether the token is good: 503 with `Retry-After`.
    ///
    /// It is never a 401: a partner that is told "invalid token" would make its user sign in again.
    case unavailable(retryAfter: Duration)

    /// The status of the answer.
    public var status: HTTPResponse.Status { HTTPResponse.Status(code: error?.code.status ?? 401) }

    /// The answer without a realm; ``BearerTokenMiddleware`` adds its own.
    public func response(from request: Request, context: some RequestContext) -> Response {
        response(realm: nil)
    }

    /// The answer: status, `WWW-Authenticate`, and a JSON object with `error` and `error_description`.
    ///
    /// - Parameter realm: the name of the protected space, for the challenge.
    /// - Returns: the finished response, which no cache may keep.
    public func response(realm: String?) -> Response {
        var headers: HTTPFields = [.contentType: "application/json", .cacheControl: "no-store"]
        if let retryAfter = error?.retryAfter {
            headers[.retryAfter] = String(max(1, retryAfter.components.seconds))
        } else {
            headers[.wwwAuthenticate] = challenge(realm: realm)
        }
        var json = JSONWriter()
        if let error { json.member("error", error.code.rawValue) }
        json.member("error_description", error?.description ?? Self.noTokenDescription)
        let body = json.finish()
        headers[.contentLength] = String(body.count)
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
    }

    /// The refusal in the protocol's terms; nil where RFC 6750 §3.1 asks for no error information in the challenge.
    private var error: OAuthError? {
        switch self {
        case .noToken: nil
        case .invalidRequest(let text): OAuthError(.invalidRequest, text)
        case .invalidToken(let text): OAuthError(.invalidToken, text)
        case .insufficientScope(let names):
            OAuthError(.insufficientScope, "this needs the scope '\(names.joined(separator: " "))'")
        case .unavailable(let pause):
            OAuthError(
                .temporarilyUnavailable,
                "the token cannot be checked now, and may well be good: try again",
                retryAfter: pause
            )
        }
    }

    private static let noTokenDescription = "this needs an access token: send 'Authorization: Bearer' and the token"

    /// RFC 6750 §3: the scheme and its attributes.
    private func challenge(realm: String?) -> String {
        var attributes: [(name: String, value: String)] = []
        if let realm { attributes.append(("realm", realm)) }
        if let error {
            attributes.append(("error", error.code.rawValue))
            attributes.append(("error_description", error.description))
        }
        if case .insufficientScope(let names) = self { attributes.append(("scope", names.joined(separator: " "))) }
        guard !attributes.isEmpty else { return "Bearer" }
        return "Bearer " + attributes.map { "\($0.name)=\"\(Self.quotable($0.value))\"" }.joined(separator: ", ")
    }

    /// RFC 9110 §5.6.4: what may stand in a quoted string; quotes and backslashes are left out rather than escaped.
    private static func quotable(_ text: String) -> String {
        String(decoding: text.utf8.filter { (0x20...0x7E).contains($0) && $0 != 0x22 && $0 != 0x5C }, as: UTF8.self)
    }
}
