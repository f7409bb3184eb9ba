import HTTPTypes
import Hummingbird
import OAuth
import OAuthStore

/// The consent page's form: allow, deny, or "not you?" (RFC 6749 §4.1.1).
extension Provider {
    func consent(_ request: Request, _ context: DoorContext) async throws -> Response {
        let now = ambient.now()
        try refuseCrossSite(request)
        let form = try await form(request)
        let browser = try await browser(request, now: now)
        let (transaction, asked) = try await opened(form, browser, now)
        if form["action"] == "switch" { return try signInPage(transaction, asked, request) }
        switch form["decision"] {
        case "allow":
            // The page named an account: if somebody else is signed in by now, they have not been asked.
            guard let session = browser.session, session.account.id == transaction.asked, !asked.prompt.isSilent else {
                return try await advance(transaction, asked, browser, request, context, now)
            }
            return try await allow(transaction, asked, browser, session, request, context, now)
        case "deny":
            observe(.denied(asked.client.id), context)
            return redirect(to: asked.redirect.refused(OAuthError(.accessDenied, "the person denied the request")))
        default:
            throw OAuthError(.invalidRequest, "decision must be allow or deny")
        }
    }

    /// Everything but the consent itself must still hold: a session that has become too old signs in again.
    private func allow(
        _ transaction: AuthorizationTransaction,
        _ asked: AuthorizationRequest,
        _ browser: Browser,
        _ session: Session,
        _ request: Request,
        _ context: DoorContext,
        _ now: Instant
    ) async throws -> Response {
        let step = asked.nextStep(
            session: browser.signedIn,
            started: transaction.startedAt,
            selected: transaction.selected,
            remembered: false,
            now: now
        )
        guard step == .consent || step == .grant else {
            return try await advance(transaction, asked, browser, request, context, now)
        }
        return try await grant(transaction, asked, session, request, context, now)
    }
}
