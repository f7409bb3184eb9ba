import HTTPTypes
import Hummingbird
import OAuthGuard

/// What the API of contacts refuses, in the words of the contacts' document.
enum ContactsError: HTTPResponseError {
    /// The parameters mean nothing: 400.
    case badParameters(String)
    /// The token belongs to no organisation: 403.
    case noOrganisation
    /// There are fewer credits than the request costs: 422, with `msg` where the others have `message`.
    case insufficientCredits(category: String, missing: Int)
    /// The organisation's minute is used up: 429.
    case rateLimitExceeded

    var status: HTTPResponse.Status {
        switch self {
        case .badParameters: .badRequest
        case .noOrganisation: .forbidden
        case .insufficientCredits: .unprocessableContent
        case .rateLimitExceeded: .tooManyRequests
        }
    }

    /// What OAuthGuard refuses, with the status and the headers of RFC 6750, in these words.
    static let body: RefusalBody = { refusal in
        switch refusal {
        case .insufficientScope(let names):
            ErrorBody(
                code: "insufficientScope",
                message: "Re-authorize with scope \(names.joined(separator: " ")): this connection does not have it."
            )
        default: ErrorBody(message: refusal.sentence)
        }
    }

    private var body: ErrorBody {
        switch self {
        case .badParameters(let sentence): ErrorBody(message: sentence)
        case .noOrganisation:
            ErrorBody(
                code: "organisationRequired",
                message: "This token belongs to the application itself: connect an account, or use an API key."
            )
        case .insufficientCredits(let category, let missing):
            ErrorBody(
                code: "insufficientCredits",
                msg: "The organisation has too few credits left for this request.",
                data: .init(productCategory: category, additionalCreditsNeeded: missing)
            )
        case .rateLimitExceeded:
            ErrorBody(
                code: "rateLimitExceeded",
                message: "More than \(SampleRates.limit) requests in a minute: wait until X-RateLimit-Reset."
            )
        }
    }

    func response(from request: Request, context: some RequestContext) throws -> Response {
        var response = try context.responseEncoder.encode(body, from: request, context: context)
        response.status = status
        return response
    }
}

private struct ErrorBody: Encodable {
    var code: String?
    var message: String?
    var msg: String?
    var data: MissingCredits?

    struct MissingCredits: Encodable {
        let productCategory: String
        let additionalCreditsNeeded: Int
    }
}
