import HTTPTypes
import Hummingbird
import OAuth
import OAuthStore

/// A refusal with everything that its answer needs, as JSON or as a page.
///
/// It is thrown where a person must be shown something, because there is no place that it may be sent to
/// (RFC 9700 §4.11).
struct PageRefusal: Error {
    /// What the page says.
    let problem: ErrorPage.Problem
    /// What the JSON and the page's technical lines say.
    let error: OAuthError
    /// The answer's status.
    var status: HTTPResponse.Status = .badRequest
    /// Where the page leads, when there is a way on.
    var back: PageLink?
}

/// What went wrong with a request that names its client.
struct ClientRefusal: Error {
    /// What was thrown.
    let cause: any Error
    /// Whose request it was, if that is a known client; it need not have proved who it is.
    let client: ClientID?
    /// How it is told: as the client's partner wants it.
    var shape = ErrorShape.standard
}

/// The one place where what was thrown becomes bytes.
extension Provider {
    /// Runs an endpoint that programs call: every failure becomes OAuth's JSON (RFC 6749 §5.2).
    func answering(
        _ request: Request,
        _ context: DoorContext,
        _ endpoint: (Request, DoorContext) async throws -> Response
    ) async -> Response {
        do {
            return try await endpoint(request, context)
        } catch {
            let shape = (error as? ClientRefusal)?.shape ?? .standard
            let refusal = refusal(of: error, context)
            let worded = shape.worded(refusal.error)
            let code = HTTPResponse.Status(code: shape.status(of: worded))
            let status = refusal.status.code == refusal.error.code.status ? code : refusal.status
            var response = json(shape.json(worded), status: status)
            if status == .unauthorized {
                response.headers[.wwwAuthenticate] = "Basic realm=\"\(settings.issuer.text)\", charset=\"UTF-8\""
            }
            return response.retrying(after: refusal.error.retryAfter)
        }
    }

    /// Runs an endpoint that people see: every failure becomes a page that says what to do.
    func showing(
        _ request: Request,
        _ context: DoorContext,
        _ endpoint: (Request, DoorContext) async throws -> Response
    ) async -> Response {
        do {
            return try await endpoint(request, context)
        } catch {
            let refusal = refusal(of: error, context)
            let page = ErrorPage(
                problem: refusal.problem,
                code: refusal.error.code.rawValue,
                detail: refusal.error.description,
                requestID: context.id,
                back: refusal.back
            )
            return self.page(page, status: refusal.status, language: language(request))
                .retrying(after: refusal.error.retryAfter)
        }
    }

    /// What to answer for what was thrown, told to the log.
    private func refusal(of thrown: any Error, _ context: DoorContext) -> PageRefusal {
        let refusal: PageRefusal
        let known = thrown as? ClientRefusal
        let cause = known?.cause ?? thrown
        switch cause {
        case let thrown as PageRefusal:
            refusal = thrown
        case let error as OAuthError:
            let status = HTTPResponse.Status(code: error.code.status)
            var problem = ErrorPage.Problem.known(.badRequest)
            if status == .serviceUnavailable {
                observe(.unavailable(error), context)
                problem =
                    error == ClientLoader.unresolved
                    ? .known(.unusable) : error.retryAfter.map { .unavailable(wait: $0) } ?? .known(.unavailable)
            }
            refusal = PageRefusal(problem: problem, error: error, status: status)
        case let body as BodyTooLarge:
            let error = OAuthError(.invalidRequest, "the body is larger than \(body.limit) bytes")
            refusal = PageRefusal(problem: .known(.badRequest), error: error, status: .contentTooLarge)
        case let fault as SQLError:
            observe(.databaseFault(fault, isPassing: fault.isPassing), context)
            refusal =
                switch fault {
                case .unavailable, .inDoubt: Self.unavailable
                case .unnoted: Self.unnoted
                case .constraint, .invalid: Self.fault
                }
        default:
            observe(.fault("\(cause)"), context)
            refusal = Self.fault
        }
        // Of a 503 the log knows already.
        if refusal.status != .serviceUnavailable { observe(.refused(refusal.error, known?.client), context) }
        return refusal
    }

    /// A database that does not answer is no verdict on anything: the caller is asked to come again (never a 400 or 401).
    private static let unavailable = comeAgain("the server cannot reach its database; try again")

    /// What was ended is ended, but a restored backup would bring it back: whoever asks again has it noted.
    private static let unnoted = comeAgain("it is done, but the server cannot note it outside its database; try again")

    private static func comeAgain(_ sentence: String) -> PageRefusal {
        let wait = Duration.seconds(2)
        return PageRefusal(
            problem: .unavailable(wait: wait),
            error: OAuthError(.temporarilyUnavailable, sentence, retryAfter: wait),
            status: .serviceUnavailable
        )
    }

    private static let fault = PageRefusal(
        problem: .known(.unexpected),
        error: OAuthError(.serverError, "the server met an error of its own"),
        status: .internalServerError
    )
}

extension SQLError {
    /// Whether asking again later can help.
    var isPassing: Bool {
        switch self {
        case .unavailable, .inDoubt, .unnoted: true
        case .constraint, .invalid: false
        }
    }
}
