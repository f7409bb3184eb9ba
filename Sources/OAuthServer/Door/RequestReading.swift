import HTTPTypes
package import Hummingbird
import NIOCore
package import OAuth

/// What endpoints read of a request, size-limited.
extension Provider {
    /// The parameters of the URL's query.
    /// - Throws: `invalid_request` when they are not well-formed.
    func query(_ request: Request) throws(OAuthError) -> Form {
        try Form(request.uri.query ?? "")
    }

    /// The parameters of a form body (RFC 6749 Appendix B).
    /// - Throws: `BodyTooLarge`; `invalid_request` for another media type or a malformed body.
    package func form(_ request: Request) async throws -> Form {
        guard isForm(request.headers[.contentType] ?? "") else {
            throw TokenRequestRules.Body.refused(expecting: [.form])
        }
        return try await read(request) { bytes throws(OAuthError) in try Form(bytes) }
    }

    /// The parameters of a token request's body, and how they were written: some partners send JSON.
    ///
    /// - Parameters:
    ///   - request: the request.
    ///   - bodies: how the path's profile has them written; nil at the path of all clients.
    /// - Returns: both.
    /// - Throws: `BodyTooLarge`; `invalid_request` for another media type or a malformed body.
    func tokenForm(
        _ request: Request,
        expecting bodies: Set<TokenRequestRules.Body>?
    ) async throws -> (Form, TokenRequestRules.Body) {
        let type = request.headers[.contentType] ?? ""
        if isForm(type) { return (try await read(request) { bytes throws(OAuthError) in try Form(bytes) }, .form) }
        guard isMedia(type, "application/json", in: Self.utf8) else { throw refusedBody(expecting: bodies) }
        let form = try await read(request) { bytes throws(OAuthError) in
            try Form(json: bytes, reading: TokenRequest.parameterNames)
        }
        return (form, .json)
    }

    private func refusedBody(expecting bodies: Set<TokenRequestRules.Body>?) -> OAuthError {
        if let bodies { return TokenRequestRules.Body.refused(expecting: bodies) }
        let someSendJSON = node.loader.profiles.all.contains { $0.rules.tokenRequest.bodies.contains(.json) }
        let exception = "; application/json is for the partners whose profile says so"
        return TokenRequestRules.Body.refused(expecting: [.form], exception: someSendJSON ? exception : "")
    }

    private func read(
        _ request: Request,
        _ parse: (ByteBufferView) throws(OAuthError) -> Form
    ) async throws -> Form {
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > settings.bodyLimit {
            throw BodyTooLarge(limit: settings.bodyLimit)
        }
        do {
            let body = try await request.body.collect(upTo: settings.bodyLimit)
            return try parse(body.readableBytesView)
        } catch let error as OAuthError {
            throw error
        } catch let error as any HTTPResponseError where error.status == .contentTooLarge {
            throw BodyTooLarge(limit: settings.bodyLimit)
        } catch {
            // Broken chunks, or a connection that ended: the client's doing, and nothing for the operator.
            throw OAuthError(.invalidRequest, "the body could not be read to its end")
        }
    }

    private func isForm(_ type: String) -> Bool {
        // As nearly everybody writes it.
        type == "application/x-www-form-urlencoded"
            || isMedia(type, "application/x-www-form-urlencoded", in: Self.utf8 + Self.namedByClients)
    }

    /// Whether a media type is the wanted one; `charset` may name one of these, in any spelling.
    private func isMedia(_ type: String, _ wanted: String, in charsets: [String]) -> Bool {
        let parts = type.lowercased().split(separator: ";").map { $0.filter { $0 != " " && $0 != "\"" } }
        return parts.first == wanted
            && parts.dropFirst().allSatisfy { part in
                !part.hasPrefix("charset=") || charsets.contains { part == "charset=" + $0 }
            }
    }

    private static let utf8 = ["utf-8", "utf8"]
    /// What libraries of Java and .NET say of a form by themselves: it is ASCII then, and what is not is refused as no UTF-8.
    private static let namedByClients = ["iso-8859-1", "us-ascii"]

    /// The network address that a request comes from: the peer's, or what a trusted proxy says.
    /// - Returns: `unknown` when that is no address.
    func address(_ request: Request, _ context: DoorContext) -> String {
        let peer = context.peer ?? "unknown"
        guard request.headers.contains(.xForwardedFor) else { return peer }
        guard !settings.trustedProxies.isEmpty,
            let source = settings.trustedProxies.source(of: peer, forwarded: request.headers[values: .xForwardedFor])
        else {
            if suspicions.untrustedProxy.isFirst() { observe(.forwardingNotTrusted(peer: peer), context) }
            return peer
        }
        return source.description
    }

    /// The language that the person reads; the console's is English, its errors' too.
    func language(_ request: Request, locales: String? = nil) -> Language {
        let console = settings.issuer.path + Paths.console
        guard request.uri.path != console, !request.uri.path.hasPrefix(console + "/") else { return .english }
        return .preferred(uiLocales: locales, acceptLanguage: request.headers[.acceptLanguage])
    }
}

/// A body over the limit.
struct BodyTooLarge: Error {
    let limit: Int
}
