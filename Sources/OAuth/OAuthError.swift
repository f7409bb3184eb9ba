/// An error of the protocol: the one type in which a refusal travels from where it is decided to where it is written.
public struct OAuthError: Error, Sendable, Equatable {
    /// What kind of refusal this is.
    public let code: Code

    /// What was wrong, what was expected, what to do: one sentence for the partner's developer, never with a secret.
    ///
    /// Only the characters that RFC 6749 §5.2 allows; others are replaced by `?`.
    public let description: String

    /// The request parameter that it is about, for the operator's eyes: the partner reads it in the description.
    public let parameter: String?

    /// What would have been right, where the description does not say it: kept for the operator, never sent.
    public let expected: String?

    /// How long to wait before asking again, for `temporarily_unavailable` and `slow_down` (`Retry-After`).
    public let retryAfter: Duration?

    /// Makes an error of `code` with a sentence about it.
    public init(
        _ code: Code,
        _ description: String,
        about parameter: String? = nil,
        expected: String? = nil,
        retryAfter: Duration? = nil
    ) {
        self.code = code
        self.parameter = parameter
        self.expected = expected
        self.description = Self.permitted(description)
        self.retryAfter = retryAfter
    }

    /// Whether a client could not tell the two apart.
    public static func == (left: Self, right: Self) -> Bool {
        left.code == right.code && left.description == right.description && left.retryAfter == right.retryAfter
    }

    /// The codes of every specification that Latchkey speaks.
    public enum Code: String, Sendable, CaseIterable {
        // RFC 6749 §4.1.2.1 and §5.2
        case invalidRequest = "invalid_request"
        case invalidClient = "invalid_client"
        case invalidGrant = "invalid_grant"
        case unauthorizedClient = "unauthorized_client"
        case unsupportedGrantType = "unsupported_grant_type"
        case unsupportedResponseType = "unsupported_response_type"
        case invalidScope = "invalid_scope"
        case accessDenied = "access_denied"
        case serverError = "server_error"
        case temporarilyUnavailable = "temporarily_unavailable"
        // RFC 6750 §3.1
        case invalidToken = "invalid_token"
        case insufficientScope = "insufficient_scope"
        // RFC 8707 §2
        case invalidTarget = "invalid_target"
        // OpenID Connect Core §3.1.2.6
        case loginRequired = "login_required"
        case consentRequired = "consent_required"
        case interactionRequired = "interaction_required"
        case requestNotSupported = "request_not_supported"
        case requestURINotSupported = "request_uri_not_supported"
        // RFC 8628 §3.5: also what a client hears that tries too many wrong secrets
        case slowDown = "slow_down"

        /// The status with which this error is answered directly: the one table from code to status.
        public var status: Int {
            switch self {
            case .invalidClient, .invalidToken: 401
            case .insufficientScope: 403
            case .slowDown: 429
            case .serverError: 500
            case .temporarilyUnavailable: 503
            case .invalidRequest, .invalidGrant, .unauthorizedClient, .unsupportedGrantType, .unsupportedResponseType,
                .invalidScope, .accessDenied, .invalidTarget, .loginRequired, .consentRequired, .interactionRequired,
                .requestNotSupported, .requestURINotSupported:
                400
            }
        }
    }

    /// RFC 6749 §5.2: `error_description` holds %x20-21 / %x23-5B / %x5D-7E and nothing else.
    private static func permitted(_ text: String) -> String {
        String(
            decoding: text.utf8.map { byte in
                switch byte {
                case 0x20...0x21, 0x23...0x5B, 0x5D...0x7E: byte
                default: UInt8(ascii: "?")
                }
            },
            as: UTF8.self
        )
    }
}
