import HTTPTypes
import Hummingbird
import OAuth
import OAuthStore

/// How an authorization that is under way is taken up again.
extension Provider {
    /// What a browser's request brings.
    func visit(_ request: Request, _ context: DoorContext) async throws(SQLError) -> Visit {
        let now = ambient.now()
        return Visit(request: request, context: context, browser: try await browser(request, now: now), now: now)
    }

    /// Goes on with the authorization that a form or link carries, its request checked again against the client of this moment.
    ///
    /// One that begins again, was allowed before, or cannot be granted any more is answered here.
    ///
    /// - Throws: `PageRefusal` when it is too old, was begun in another browser, or its client or redirect URI is good no more.
    func whenResumed(
        _ form: Form,
        _ visit: Visit,
        _ goOn: (PendingAuthorization) async throws -> Response
    ) async throws -> Response {
        let transaction: AuthorizationTransaction
        do throws(TransactionSeal.Failure) {
            transaction = try seals.transactions.open(
                form["transaction"] ?? "",
                browser: visit.browser.digest,
                now: visit.now
            )
        } catch {
            if case .otherBrowser = error { return try startAgain(form, visit) }
            throw PageRefusal(
                problem: .known(.expired),
                error: OAuthError(.accessDenied, "the authorization is not known, or was begun too long ago"),
                status: .forbidden
            )
        }
        let (client, redirect) = try await verifiedRedirect(transaction.parameters)
        let asked: AuthorizationRequest
        do throws(OAuthError) {
            asked = try AuthorizationRequest(
                transaction.parameters,
                client: client,
                redirect: redirect,
                audiences: audiences.askable(by: client)
            )
        } catch {
            // An operator has taken away what it asks for: the client is told, unless it has its answer.
            if let response = try await answeredBefore(transaction, redirect, visit) { return response }
            return await refused(error, transaction.parameters, of: client, redirect, visit.request, visit.context)
        }
        return try await goOn(PendingAuthorization(transaction: transaction, request: asked))
    }

    /// An authorization that was begun in another browser never goes on (RFC 6749 §10.12).
    ///
    /// A page of ours that this very browser shows has lost its cookie to another tab: its authorization begins again by
    /// itself. A browser that sends none would begin for ever: it is told. Nobody else learns what a transaction that is not
    /// theirs asks for.
    private func startAgain(_ form: Form, _ visit: Visit) throws -> Response {
        do throws(TransactionSeal.Failure) {
            _ = try seals.transactions.open(form["transaction"] ?? "", browser: nil, now: visit.now)
        } catch {
            if case .otherBrowser(let parameters) = error, visit.browser.digest != nil,
                visit.request.headers[.secFetchSite] == "same-origin"
            {
                return redirect(to: authorizeLink(parameters))
            }
        }
        throw PageRefusal(
            problem: .known(.otherBrowser),
            error: OAuthError(.accessDenied, "the authorization was begun in another browser"),
            status: .forbidden
        )
    }

    /// The same authorization under a new id, for whoever signs in next: no two people can come to one code.
    func anew(_ pending: PendingAuthorization) -> PendingAuthorization {
        var pending = pending
        pending.transaction.id = ambient.random(16)
        pending.transaction.proved = nil
        pending.transaction.selected = nil
        pending.transaction.named = nil
        pending.transaction.listed = nil
        return pending
    }
}
