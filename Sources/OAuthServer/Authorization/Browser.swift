import HTTPTypes
import Hummingbird
import OAuth
import OAuthStore

/// The browser before the server: which one it is, and who is signed in there.
struct Browser: Sendable {
    /// The hash of the cookie by which the browser is told from others; nil when it sent none.
    let digest: SecretDigest?
    /// Its session, if it has a live one.
    let session: Session?

    /// The session as the protocol sees it.
    var signedIn: SignedIn? {
        session.map { SignedIn(account: $0.account.id, email: $0.account.email, at: $0.signedInAt) }
    }
}

extension Provider {
    /// Reads a request's cookies, and lets a session that is in use last longer.
    func browser(_ request: Request, now: Instant) async throws(SQLError) -> Browser {
        let issuer = settings.issuer
        let cookie = Cookies.browser.value(request, issuer)
        var session: Session?
        if let value = Cookies.session.value(request, issuer), value.utf8.count <= Self.cookieLimit {
            session = try await store.session(SecretDigest(of: value), now: now)
        }
        if let session, session.idleUntil - now < settings.sessionIdle / 2 {
            // Where nothing can be written, a session still holds for as long as it does.
            try? await store.extendSession(session.digest, idleUntil: min(now + settings.sessionIdle, session.endsAt))
        }
        return Browser(digest: cookie.map { SecretDigest(of: $0) }, session: session)
    }

    /// As whom a request's browser has signed in before; nil when nobody has, or it does not say so any more.
    func device(_ request: Request) -> KnownDevice? {
        signInDesk.device(Cookies.device.value(request, settings.issuer))
    }

    /// The cookie by which a browser is known for a year.
    func cookie(of device: KnownDevice) throws -> String {
        let text = try signInDesk.cookie(for: device, random: ambient.random(16))
        return Cookies.device.header(text, issuer: settings.issuer, lifetime: .days(365))
    }

    /// Makes sure that a form was sent by a page of ours: every browser says so today, and the sealed transaction, which
    /// is bound to the browser's cookie, says it for the others (ASVS 3.5).
    func refuseCrossSite(_ request: Request) throws(PageRefusal) {
        // Our pages send no referrer, so browsers send "null" as their origin; Sec-Fetch-Site tells them from strangers.
        let isOurs =
            switch (request.headers[.secFetchSite], request.headers[.origin]) {
            case ("same-origin", _), ("none", _), (nil, nil), (nil, "null"): true
            case (nil, let origin?): origin == settings.issuer.origin
            case (_?, _): false
            }
        guard isOurs else {
            throw PageRefusal(
                problem: .known(.otherSite),
                error: OAuthError(.accessDenied, "the form was sent from another site"),
                status: .forbidden
            )
        }
    }

    private static let cookieLimit = 200
}
