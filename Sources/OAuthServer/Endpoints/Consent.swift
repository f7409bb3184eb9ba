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
        return try await whenResumed(form, visit) { pending in
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
    }

    /// Issues the code, where everything but the consent itself still holds.
    ///
    /// A session that has become too old signs in again. If somebody else than the page named is signed in by now, they
    /// have not been asked; nor has anybody of a scope that the client has got since.
    private func allow(_ pending: PendingAuthorization, _ visit: Visit) async throws -> Response {
        guard nextStep(pending, visit, remembered: false) == .consent, let session = visit.browser.session,
            session.account.id == pending.transaction.named,
            // A page of a release before this one lists none.
            pending.request.scope.isSubset(of: pending.transaction.listed ?? pending.request.scope)
        else { return try await advance(pending, visit) }
        return try await grant(pending, session, visit)
    }
}
