import FoundationEssentials
import HTTPTypes
import Hummingbird
import OAuthGuard
import Synchronization

/// How often each organisation has called each endpoint in the minute that runs.
final class SampleRates: Sendable {
    /// What is left of an organisation's minute.
    struct Rate: Sendable {
        let remaining: Int
        let endsAt: Date
        let isOver: Bool
    }

    private struct Place: Hashable {
        let organisation: String
        let endpoint: String
    }

    private let minutes = Mutex<[Place: (endsAt: Date, calls: Int)]>([:])
    private let now: @Sendable () -> Date

    /// Calls in a minute, of one organisation to one endpoint.
    static let limit = 60
    private static let placeLimit = 10_000

    init(now: @escaping @Sendable () -> Date) {
        self.now = now
    }

    /// Counts a call.
    func count(_ organisation: String, _ endpoint: String) -> Rate {
        minutes.withLock { minutes in
            let now = now()
            let place = Place(organisation: organisation, endpoint: endpoint)
            if minutes.count >= Self.placeLimit { minutes = minutes.filter { $0.value.endsAt > now } }
            if minutes.count >= Self.placeLimit { minutes.removeAll() }
            var minute = minutes[place] ?? (now + 60, 0)
            if minute.endsAt <= now { minute = (now + 60, 0) }
            minute.calls += 1
            minutes[place] = minute
            return Rate(
                remaining: max(0, Self.limit - minute.calls),
                endsAt: minute.endsAt,
                isOver: minute.calls > Self.limit
            )
        }
    }

    /// The rate of somebody whom nobody knows: they have used nothing, and get nothing.
    var unused: Rate { Rate(remaining: Self.limit, endsAt: now() + 60, isOver: false) }

    /// Whole seconds until a minute is over.
    func seconds(until end: Date) -> Int { max(1, Int(end.timeIntervalSince(now()).rounded(.up))) }
}

/// Counts the calls of organisations, and says on every answer how many are left.
///
/// It stands behind the credential's check, because only that says who the organisation is; ``RateHeaders`` stands before
/// it, for the answers to those who are nobody.
struct LimitRate<Context: GuardedRequestContext>: RouterMiddleware {
    let company: SampleCompany

    private static var base: String { "api/client/v1" }

    func handle(
        _ request: Request,
        context: Context,
        next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        let organisation = try context.organisation
        // The same endpoint, wherever the API is mounted.
        let path = context.endpointPath ?? request.uri.path
        let endpoint = "\(request.method.rawValue) \(path.split(separator: Self.base, maxSplits: 1).last ?? "")"
        let rate = company.rates.count(organisation, endpoint)
        var response: Response
        do {
            guard !rate.isOver else { throw ContactsError.rateLimitExceeded }
            response = try await next(request, context)
        } catch let refusal as BearerRefusal {
            response = refusal.response(realm: "contacts", body: ContactsError.body)
        } catch let error as any HTTPResponseError {
            response = try error.response(from: request, context: context)
        }
        if rate.isOver { response.headers[.retryAfter] = "\(company.rates.seconds(until: rate.endsAt))" }
        response.headers.say(rate, credits: company.contacts.credits(of: organisation))
        return response
    }
}

/// Says the rate on answers that nobody was counted for.
struct RateHeaders<Context: RequestContext>: RouterMiddleware {
    let rates: SampleRates

    func handle(
        _ request: Request,
        context: Context,
        next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        if !response.headers.contains(.rateLimit) { response.headers.say(rates.unused, credits: 0) }
        return response
    }
}

extension HTTPFields {
    fileprivate mutating func say(_ rate: SampleRates.Rate, credits: Int) {
        self[.rateLimit] = "\(SampleRates.limit)"
        self[.rateRemaining] = "\(rate.remaining)"
        self[.rateReset] = "\(Int(rate.endsAt.timeIntervalSince1970.rounded(.up)))"
        self[.credits] = "\(credits)"
    }
}

extension HTTPField.Name {
    fileprivate static let rateLimit = Self(known: "X-RateLimit-Limit")
    fileprivate static let rateRemaining = Self(known: "X-RateLimit-Remaining")
    fileprivate static let rateReset = Self(known: "X-RateLimit-Reset")
    fileprivate static let credits = Self(known: "X-PublicAPI-Credits")

    private init(known name: String) {
        guard let name = Self(name) else { preconditionFailure("\(name) is not a header name") }
        self = name
    }
}
