import FoundationEssentials
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

    /// What was wrong and what to do, in a sentence.
    public var sentence: String { error?.description ?? Self.noTokenDescription }

    /// The answer: status, `WWW-Authenticate`, and a JSON body.
    ///
    /// - Parameters:
    ///   - realm: the name of the protected space, for the challenge.
    ///   - body: the body in the API's own form; nil gives an object with `error` and `error_description`.
    /// - Returns: the finished response, which no cache may keep.
    public func response(realm: String?, body: RefusalBody? = nil) -> Response {
        var headers: HTTPFields = [.contentType: "application/json", .cacheControl: "no-store"]
        if let retryAfter = error?.retryAfter {
            headers[.retryAfter] = String(max(1, retryAfter.components.seconds))
        } else {
            headers[.wwwAuthenticate] = BearerToken.challenge(realm: realm, error: error, scopes: neededScopes)
        }
        let bytes = body.flatMap { try? Self.encoder.encode($0(self)) }.map(Array.init) ?? json
        headers[.contentLength] = String(bytes.count)
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    private var json: [UInt8] {
        var json = JSONWriter()
        if let error { json.member("error", error.code.rawValue) }
        json.member("error_description", sentence)
        return json.finish()
    }

    private var neededScopes: [String] {
        guard case .insufficientScope(let names) = self else { return [] }
        return names
    }

    private static var encoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
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
}
