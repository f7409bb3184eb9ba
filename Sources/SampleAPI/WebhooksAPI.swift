import FoundationEssentials
import HTTPTypes
import Hummingbird
import OAuthGuard

/// Webhooks, as the locks' current guide has them: one URL for each environment of a partner, none for single people.
///
/// So it is the partner that registers one, with a token of its own (client_credentials), or the company with an API key.
/// A partner's webhook is told what came of its own requests: it learns of nobody who has not connected to it. The
/// company's own webhook is told everything.
extension SampleCompany {
    func addWebhooks<Context: RequestContext>(to router: some RouterMethods<Context>) {
        router.group("", context: GuardedContext<Context>.self)
            .add(
                middleware: BearerTokenMiddleware(
                    verifier,
                    apiKeys: apiKeys,
                    realm: "webhooks",
                    refusalBody: DeviceError.body
                )
            )
            .add(middleware: PermitsKeys("locks.read"))
            .post("webhooks") { request, context in try await register(request, context) }
    }

    private func register(
        _ request: Request,
        _ context: some GuardedRequestContext
    ) async throws -> RegisteredWebhook {
        let caller = try context.requireCaller()
        guard caller.userID == nil else {
            throw DeviceError(
                status: .forbidden,
                code: "CLIENT_CREDENTIAL_REQUIRED",
                message:
                    "A webhook belongs to an application, not to a person: use a client_credentials token or an API key."
            )
        }
        guard let wish = await request.object(WebhookWish.self, context), SampleWebhooks.accepts(wish.url),
            wish.events?.count ?? 0 <= 50, SampleWebhooks.accepts(wish.headers ?? [:])
        else {
            throw DeviceError.badRequest(
                "BAD_WEBHOOK",
                #"Send JSON such as {"url": "https://…", "events": ["lock.action_completed"]}: https, or http on loopback; "headers" may hold X-… ones."#
            )
        }
        guard
            let id = webhooks.register(
                wish.url,
                events: wish.events,
                headers: wish.headers ?? [:],
                of: context.accessToken?.clientID
            )
        else {
            throw DeviceError(status: .conflict, code: "TOO_MANY_WEBHOOKS", message: "There are too many webhooks.")
        }
        return RegisteredWebhook(webhook_id: id, status: "active")
    }
}

private struct WebhookWish: Decodable {
    let url: String
    let events: [String]?
    /// What each delivery carries besides: a receiver knows by a secret there who it is from.
    let headers: [String: String]?
}

private struct RegisteredWebhook: ResponseEncodable {
    let webhook_id: String
    let status: String
}
