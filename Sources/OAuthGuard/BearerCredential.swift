import HTTPTypes
import Hummingbird
import HummingbirdCore

/// Reads the token of a request: from the `Authorization` header and from nowhere else (RFC 6750 §2.1).
///
/// A token in the URL ends up in logs, histories and referrers, so it is refused even when it is good (RFC 9700
/// §4.3.2). A form body is not looked into: RFC 6750 §2.2 makes that optional, and the body belongs to the handler.
enum BearerCredential {
    static func token(of request: Request) throws(BearerRefusal) -> String {
        let headers = request.headers[values: .authorization]
        let isInURL = request.uri.queryParameters.has("access_token")
        guard headers.count < 2, headers.isEmpty || !isInURL else {
            throw .invalidRequest("the request authenticates in more than one way: send one Authorization header")
        }
        guard !isInURL else {
            throw .invalidRequest("an access token in the URL is never accepted: send it in the Authorization header")
        }
        guard let header = headers.first else { throw .noToken }
        let scheme = header.prefix { $0 != " " }
        guard scheme.lowercased() == "bearer" else { throw .noToken }
        let token = header.dropFirst(scheme.count).drop { $0 == " " }
        guard !token.isEmpty else { throw .noToken }
        // A malformed token is an invalid one (RFC 6750 §3.1), and a client that hears 401 knows how to get a better one.
        guard isWellFormed(token) else {
            throw .invalidToken("the Authorization header must be 'Bearer', one space and the token")
        }
        return String(token)
    }

    /// RFC 6750 §2.1, `b64token`: letters, digits and `-._~+/`, then any number of `=`.
    private static func isWellFormed(_ token: Substring) -> Bool {
        var rest = token.utf8[...]
        while rest.last == UInt8(ascii: "=") { rest.removeLast() }
        return !rest.isEmpty && token.utf8.count <= lengthLimit
            && rest.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"),
                    UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "+"),
                    UInt8(ascii: "/"):
                    true
                default: false
                }
            }
    }

    /// The longest token that is looked at.
    private static let lengthLimit = 8192
}
