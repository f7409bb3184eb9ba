import NIOCore
import NIOHTTP1
import OAuth

/// What a request is answered that nobody is asked about.
struct EarlyAnswer {
    let head: HTTPResponseHead
    let body: ByteBuffer

    /// When somebody who was one too many shall come again.
    private static let comeAgain = Duration.seconds(1)

    private init(_ status: HTTPResponseStatus, _ error: OAuthError, _ further: HTTPHeaders = [:]) {
        body = ByteBuffer(bytes: ErrorShape.standard.json(error))
        var fields: HTTPHeaders = [
            "Content-Type": "application/json", "Content-Length": String(body.readableBytes),
            "Cache-Control": "no-store",
        ]
        fields.add(contentsOf: further)
        head = HTTPResponseHead(version: .http1_1, status: status, headers: fields)
    }

    /// It does not say which host it is for (RFC 9112 §3.2).
    static var noHost: Self {
        let error = OAuthError(.invalidRequest, "a request must have one Host header field, and it must name a host")
        return Self(.badRequest, error)
    }

    /// It does not say how its body is sent.
    static var noCoding: Self {
        Self(.badRequest, OAuthError(.invalidRequest, "a Transfer-Encoding header field must name a transfer coding"))
    }

    /// Its body is packed in a way that nobody here undoes (RFC 9112 §6.1).
    static var unknownCoding: Self {
        let error = OAuthError(.invalidRequest, "the only transfer coding that is understood here is 'chunked'")
        return Self(.notImplemented, error)
    }

    /// It did not arrive in time.
    static func late(_ limit: TimeAmount) -> Self {
        let seconds = limit.nanoseconds / 1_000_000_000
        let error = OAuthError(.invalidRequest, "the request did not arrive in full within \(seconds) seconds")
        return Self(.requestTimeout, error, ["Connection": "close"])
    }

    /// Too many others are at work.
    static var oneTooMany: Self {
        let error = OAuthError(
            .temporarilyUnavailable,
            "the server has more requests than it can answer soon; try again",
            retryAfter: comeAgain
        )
        return Self(.serviceUnavailable, error, ["Retry-After": "\(comeAgain.components.seconds)"])
    }
}
