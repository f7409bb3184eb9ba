package import HTTPTypes
package import Hummingbird
import NIOCore
import OAuth

/// The kinds of answers that endpoints give, each with the headers that belong to it.
extension Provider {
    /// JSON that must not be kept (RFC 6749 §5.1).
    package func json(_ bytes: [UInt8], status: HTTPResponse.Status = .ok) -> Response {
        Response(status: status, headers: Self.jsonHeaders, body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    private static let jsonHeaders: HTTPFields = [
        .contentType: "application/json; charset=utf-8", .cacheControl: "no-store", .pragma: "no-cache",
        .xContentTypeOptions: "nosniff",
    ]

    /// A public document that anybody may keep and read from another site: metadata and keys (RFC 9700 §2.6).
    func document(_ bytes: [UInt8], _ request: Request, lifetime: Duration) -> Response {
        let tag = "\"\(Base64URL.encode(SecretDigest(of: String(decoding: bytes, as: UTF8.self)).bytes.prefix(12)))\""
        var headers: HTTPFields = [
            .contentType: "application/json", .cacheControl: "public, max-age=\(lifetime.components.seconds)",
            .eTag: tag, .accessControlAllowOrigin: "*", .xContentTypeOptions: "nosniff",
        ]
        guard !Self.isKnown(tag, to: request) else {
            headers[.contentType] = nil
            return Response(status: .notModified, headers: headers)
        }
        return Response(status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    /// Whether a cache has the document of that tag; proxies that pack it mark its tag as a weak one (RFC 9110 §13.1.2).
    private static func isKnown(_ tag: String, to request: Request) -> Bool {
        request.headers[values: .ifNoneMatch].joined(separator: ",").split(separator: ",").contains { each in
            let each = each.drop { $0 == " " }.prefix { $0 != " " }
            return each == "*" || each == tag || each == "W/" + tag
        }
    }

    /// A page for a person, with the headers that keep other sites, scripts and caches out of it (ASVS 3.4).
    ///
    /// - Parameters:
    ///   - page: what it shows.
    ///   - status: its HTTP status.
    ///   - language: the language of its words.
    ///   - leadsToClient: whether the page's form may lead the browser to a client.
    /// - Returns: the HTML, which no cache keeps and no other site frames.
    func page(
        _ page: some Page,
        status: HTTPResponse.Status = .ok,
        language: Language,
        leadsToClient: Bool = false
    ) -> Response {
        let html = pages.html(page, language: language, testMode: settings.testMode)
        var response = Response(
            status: status,
            headers: [
                .contentType: "text/html; charset=utf-8", .cacheControl: "no-store",
                .contentLanguage: language.rawValue,
                .contentSecurityPolicy: leadsToClient ? Self.policy : Self.policy + "; form-action 'self'",
                .frameOptions: "DENY", .referrerPolicy: "no-referrer",
                .xContentTypeOptions: "nosniff",
            ],
            body: .init(byteBuffer: ByteBuffer(string: html))
        )
        // The partner would lose its window by this.
        if !page.mayBeInPartnersWindow { response.headers[.crossOriginOpenerPolicy] = "same-origin" }
        return response
    }

    /// A redirect that always becomes a GET, so that no form's content follows it (RFC 9700 §4.12).
    func redirect(to location: String) -> Response {
        Response(
            status: .seeOther,
            headers: [.location: location, .cacheControl: "no-store", .referrerPolicy: "no-referrer"]
        )
    }

    /// What every page may load, and who may frame it: no scripts, and nothing of others but pictures.
    ///
    /// A page whose form may lead to a client has no `form-action` beside it: Chromium applies that to every redirect which follows
    /// a form, those of the client's own callback among them, and a client may send the browser on to wherever it likes: to an app's
    /// own scheme, another host, or plain http at home. What it would keep out needs HTML of somebody else's in our page; our forms
    /// go to our own paths (`base-uri 'none'`), and their answers only to a registered redirect URI.
    private static let policy = """
        default-src 'none'; style-src 'self'; img-src 'self' https: data:; base-uri 'none'; frame-ancestors 'none'
        """
}
