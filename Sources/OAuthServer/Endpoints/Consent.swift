import HTTPTypes
import Hummingbird
import OAuth
import OAuthStore

/// The consent page's form: allow, deny, or "not you?" (RFC 6749 §4.1.1).
extension Provider {
    func consent(_ request: Request, _ context: DoorContext) async throws -> Response {
        try refuseCrossSite(request)
        let form = try await form(request)
        let visit = try await visit(request, context)
        guard let pending = try await pending(form, visit) else { return try startAgain(form, visit) }
        if form["action"] == "switch" { return try signInPage(anew(pending), visit) }
        switch form["decision"] {
        case "allow":
            return try await allow(pending, visit)
        case "deny":
            return try await deny(pending, OAuthError(.accessDenied, "the person denied the request"), visit)
        default:
            throw OAuthError(.invalidRequest, "decision must be allow or deny")
        }
    }

    /// Everything but the consent itself must still hold: a session that has become too old signs in again, and if
    /// somebody else than the page named is signed in by now, they have not been asked.
    private func allow(_ pending: PendingAuthorization, _ visit: Visit) async throws -> Response {
        guard nextStep(pending, visit, remembered: false) == .consent, let session = visit.browser.session,
            session.account.id == pending.transaction.named
        else { return try await advance(pending, visit) }
        return try await grant(pending, session, visit)
    }
}
