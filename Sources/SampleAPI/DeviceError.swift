import HTTPTypes
import Hummingbird
import OAuthGuard

/// What the API of locks and intercoms refuses, in the words of its partners' guides.
///
/// The current guide reads `error_code` and `message`, the older ones `error_id` and `error_message`. What both of them
/// call has all four.
struct DeviceError: HTTPResponseError, Encodable {
    /// Which guide's members are written.
    enum Guide {
        case current
        case older
        case both
    }

    let status: HTTPResponse.Status
    let code: String
    let message: String
    var guide = Guide.both

    /// The same error in the words of one guide.
    func worded(for guide: Guide, status: HTTPResponse.Status? = nil) -> DeviceError {
        DeviceError(status: status ?? self.status, code: code, message: message, guide: guide)
    }

    static let noPerson = DeviceError(
        status: .forbidden,
        code: "PERSON_REQUIRED",
        message: "This token belongs to the application itself. Locks belong to people: connect an account."
    )

    static func unknown(_ what: String, _ id: String) -> DeviceError {
        DeviceError(
            status: .notFound,
            code: what.uppercased().replacing(" ", with: "_") + "_NOT_FOUND",
            message: "This account has no \(what) '\(id.prefix(60))'."
        )
    }

    static func badRequest(_ code: String, _ message: String) -> DeviceError {
        DeviceError(status: .badRequest, code: code, message: message)
    }

    static let offline = DeviceError(
        status: .serviceUnavailable,
        code: "DEVICE_OFFLINE",
        message: "The device is offline and cannot take commands.",
        guide: .current
    )

    static let jammed = DeviceError(
        status: .unprocessableContent,
        code: "LOCK_JAMMED",
        message: "The deadbolt could not retract.",
        guide: .current
    )

    static let pinConflict = DeviceError(
        status: .conflict,
        code: "PIN_CONFLICT",
        message: "This PIN is in use on the device already."
    )

    /// What OAuthGuard refuses, with the status and the headers of RFC 6750, in these words.
    static let body: RefusalBody = { refusal in
        let code =
            switch refusal {
            case .noToken: "TOKEN_REQUIRED"
            case .invalidRequest: "BAD_REQUEST"
            case .invalidToken: "INVALID_TOKEN"
            case .insufficientScope: "INSUFFICIENT_SCOPE"
            case .unavailable: "TEMPORARILY_UNAVAILABLE"
            }
        return DeviceError(status: refusal.status, code: code, message: refusal.sentence)
    }

    private enum CodingKeys: CodingKey {
        case error_code
        case message
        case error_id
        case error_message
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        if guide != .older {
            try container.encode(code, forKey: .error_code)
            try container.encode(message, forKey: .message)
        }
        if guide != .current {
            try container.encode(code, forKey: .error_id)
            try container.encode(message, forKey: .error_message)
        }
    }

    func response(from request: Request, context: some RequestContext) throws -> Response {
        var response = try context.responseEncoder.encode(self, from: request, context: context)
        response.status = status
        return response
    }
}
