/// The one table of errors (RFC 6749 §5.2, RFC 6750 §3.1).
import OAuth
import Testing

@Suite struct `RFC 6749 §5.2: errors` {
    /// What every code is answered with; a new code needs a line here.
    static let statuses: [OAuthError.Code: Int] = [
        .invalidRequest: 400, .invalidClient: 401, .invalidGrant: 400, .unauthorizedClient: 400,
        .unsupportedGrantType: 400, .unsupportedResponseType: 400, .invalidScope: 400, .accessDenied: 400,
        .serverError: 500, .temporarilyUnavailable: 503, .invalidToken: 401, .insufficientScope: 403,
        .invalidTarget: 400, .loginRequired: 400, .consentRequired: 400, .interactionRequired: 400,
        .requestNotSupported: 400, .requestURINotSupported: 400, .slowDown: 429,
    ]

    @Test(arguments: OAuthError.Code.allCases)
    func `§5.2: every code has its status`(_ code: OAuthError.Code) {
        #expect(code.status == Self.statuses[code])
    }

    @Test(arguments: OAuthError.Code.allCases)
    func `§5.2: every code is written in small letters`(_ code: OAuthError.Code) {
        #expect(code.rawValue.allSatisfy { ("a"..."z").contains($0) || $0 == "_" })
    }

    @Test(arguments: OAuthError.Code.allCases)
    func `T12: a description holds only the characters that the RFC allows`(_ code: OAuthError.Code) {
        let everything = String(String.UnicodeScalarView((0...0x2FF).compactMap { Unicode.Scalar($0 as UInt32) }))
        let description = OAuthError(code, everything + "\r\n\t\"\\ü😀").description
        #expect(
            description.utf8.allSatisfy {
                (0x20...0x21).contains($0) || (0x23...0x5B).contains($0) || (0x5D...0x7E).contains($0)
            }
        )
    }

    @Test func `T12: a plain sentence is left alone, and other characters become question marks`() {
        let sentence = "code_verifier is missing: the authorization request had a code_challenge (RFC 7636)!"
        #expect(OAuthError(.invalidGrant, sentence).description == sentence)
        #expect(OAuthError(.invalidGrant, "a\"b\\c\nd").description == "a?b?c?d")
    }

    @Test func `RFC 9110 §10.2.3: an error may say when to come back`() {
        #expect(OAuthError(.temporarilyUnavailable, "later", retryAfter: .seconds(2)).retryAfter == .seconds(2))
        #expect(OAuthError(.invalidGrant, "never").retryAfter == nil)
    }
}
