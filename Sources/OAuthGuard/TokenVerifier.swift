import FoundationEssentials
import OAuth

/// The two ways to find out whether an access token is good.
///
/// | | offline | introspection |
/// |---|---|---|
/// | formats | JWT | JWT and opaque |
/// | per request | a signature check, no I/O | one request to the authorization server, or none within the cache's time |
/// | sees a cut connection | when the token expires | at once, or when the cached answer ends |
/// | authorization server down | goes on with the keys it has | 503 with `Retry-After` |
public enum TokenVerifier: Sendable {
    /// By the signature, with the issuer's published keys.
    case offline(OfflineVerifier)
    /// By asking the authorization server (RFC 7662).
    case introspection(IntrospectionVerifier)

    /// Checks a token.
    /// - Throws: `invalidToken` when it is not good for this API; `unavailable` when nobody can say.
    public func verify(_ token: String) async throws(BearerRefusal) -> VerifiedAccessToken {
        switch self {
        case .offline(let verifier): try await verifier.verify(token)
        case .introspection(let verifier): try await verifier.verify(token)
        }
    }
}

extension Instant {
    /// The time of this machine's clock.
    static func systemTime() -> Instant {
        Instant(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
    }

    /// The same moment as the standard library's users know it.
    var date: Date { Date(timeIntervalSince1970: Double(milliseconds) / 1000) }
}

extension BearerRefusal {
    static let expired = BearerRefusal.invalidToken("the access token has expired: refresh it")
    static let notForUs = BearerRefusal.invalidToken("the access token is for another audience")
}
