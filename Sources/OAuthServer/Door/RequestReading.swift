import HTTPTypes
import Hummingbird
import OAuth

/// What endpoints read of a request, size-limited.
extension Provider {
    /// The parameters of the URL's query.
    /// - Throws: `invalid_request` when they are not well-formed.
    func query(_ request: Request) throws(OAuthError) -> Form {
        try Form(request.uri.query ?? "")
    }

    /// The parameters of a form body (RFC 6749 Appendix B).
    /// - Throws: `BodyTooLarge`; `invalid_request` for another media type or a malformed body.
    func form(_ request: Request) async throws -> Form {
        guard isForm(request.headers[.contentType] ?? "") else {
            throw OAuthError(.invalidRequest, "the body must be application/x-www-form-urlencoded, in UTF-8")
        }
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > settings.bodyLimit {
            throw BodyTooLarge(limit: settings.bodyLimit)
        }
        do {
            let body = try await request.body.collect(upTo: settings.bodyLimit)
            return try Form(body.readableBytesView)
        } catch let error as OAuthError {
            throw error
        } catch let error as HTTPError where error.status == .contentTooLarge {
            throw BodyTooLarge(limit: settings.bodyLimit)
        }
    }

    /// Whether a media type is that of a form in UTF-8; `charset` may say so, in any spelling.
    private func isForm(_ type: String) -> Bool {
        let parts = type.lowercased().split(separator: ";").map { $0.filter { $0 != " " && $0 != "\"" } }
        return parts.first == "application/x-www-form-urlencoded"
            && parts.dropFirst().allSatisfy { part in
                !part.hasPrefix("charset=") || part == "charset=utf-8" || part == "charset=utf8"
            }
    }

    /// The network address that a request comes from: the peer's, or what a trusted proxy says.
    ///
    /// `X-Forwarded-For` is read from its end: the last address that is not a trusted proxy's is the client's.
    func address(_ request: Request, _ context: DoorContext) -> String {
        let peer = context.peer ?? "unknown"
        guard settings.trustedProxies.contains(peer) else { return peer }
        let forwarded = request.headers[values: .xForwardedFor].joined(separator: ",")
        let hops = forwarded.split(separator: ",").map { $0.filter { $0 != " " } }
        return hops.last { !settings.trustedProxies.contains($0) } ?? peer
    }

    /// The language that the person reads.
    func language(_ request: Request, locales: String? = nil) -> Language {
        .preferred(uiLocales: locales, acceptLanguage: request.headers[.acceptLanguage])
    }
}

/// A body over the limit.
struct BodyTooLarge: Error {
    let limit: Int
}
