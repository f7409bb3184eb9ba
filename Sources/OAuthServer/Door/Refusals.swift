import HTTPTypes
import Hummingbird
import OAuth
import OAuthStore

/// A refusal that is shown to a person, because there is no place that it may be sent to (RFC 9700 §4.11).
struct PageRefusal: Error {
    let problem: ErrorPage.Problem
    let error: OAuthError
    var status: HTTPResponse.Status = .badRequest
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
        } catch let error as OAuthError {
            return refusal(error, request, context)
        } catch let error as BodyTooLarge {
            let error = OAuthError(.invalidRequest, "the body is larger than \(error.limit) bytes")
            return refusal(error, status: .contentTooLarge, request, context)
        } catch let error as SQLError {
            return refusal(Self.refusal(for: error, context), request, context)
        } catch {
            observe(.fault("\(error)"), context)
            return refusal(OAuthError(.serverError, "the server met an error of its own"), request, context)
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
        } catch let refusal as PageRefusal {
            return page(refusal, request, context)
        } catch let error as OAuthError {
            return page(PageRefusal(problem: .known(.badRequest), error: error), request, context)
        } catch let error as BodyTooLarge {
            let error = OAuthError(.invalidRequest, "the body is larger than \(error.limit) bytes")
            return page(
                PageRefusal(problem: .known(.badRequest), error: error, status: .contentTooLarge),
                request,
                context
            )
        } catch let error as SQLError {
            let error = Self.refusal(for: error, context)
            let problem = error.retryAfter.map { ErrorPage.Problem.unavailable(wait: $0) } ?? .known(.unexpected)
            let refusal = PageRefusal(problem: problem, error: error, status: .init(code: error.code.status))
            return page(refusal, request, context)
        } catch {
            observe(.fault("\(error)"), context)
            let error = OAuthError(.serverError, "the server met an error of its own")
            return page(
                PageRefusal(problem: .known(.unexpected), error: error, status: .internalServerError),
                request,
                context
            )
        }
    }

    /// A database that does not answer is no verdict on anything: the caller is asked to come again (never a 400 or 401).
    private static func refusal(for error: SQLError, _ context: DoorContext) -> OAuthError {
        observe(.databaseFault(error), context)
        return switch error {
        case .unavailable, .inDoubt:
            OAuthError(
                .temporarilyUnavailable,
                "the server cannot reach its database; try again",
                retryAfter: retryAfter
            )
        case .constraint, .invalid:
            OAuthError(.serverError, "the server met an error of its own")
        }
    }

    /// How long a caller is asked to wait while the database does not answer.
    private static let retryAfter = Duration.seconds(2)

    private func refusal(
        _ error: OAuthError,
        status: HTTPResponse.Status? = nil,
        _ request: Request,
        _ context: DoorContext
    ) -> Response {
        Self.observe(.refused(error), context)
        var writer = JSONWriter()
        writer.member("error", error.code.rawValue)
        writer.member("error_description", error.description)
        var response = json(writer.finish(), status: status ?? .init(code: error.code.status))
        if error.code == .invalidClient {
            response.headers[.wwwAuthenticate] = "Basic realm=\"\(settings.issuer.text)\", charset=\"UTF-8\""
        }
        return finished(response, error, context)
    }

    private func page(_ refusal: PageRefusal, _ request: Request, _ context: DoorContext) -> Response {
        Self.observe(.refused(refusal.error), context)
        let page = ErrorPage(
            problem: refusal.problem,
            code: refusal.error.code.rawValue,
            detail: refusal.error.description,
            requestID: context.id
        )
        return finished(
            self.page(page, status: refusal.status, language: language(request)),
            refusal.error,
            context
        )
    }

    private func finished(_ response: Response, _ error: OAuthError, _ context: DoorContext) -> Response {
        var response = response
        if let wait = error.retryAfter { response.headers[.retryAfter] = "\(wait.components.seconds)" }
        return response
    }
}
