/// Proof Key for Code Exchange (RFC 7636), with S256 as its only method (RFC 9700 §2.1.1).
public struct ProofKey: Sendable, Hashable {
    /// `code_challenge`: base64url(SHA-256(verifier)), 43 characters.
    public let challenge: String

    /// Takes a challenge that was checked before, from the store.
    public init(stored challenge: String) {
        self.challenge = challenge
    }

    /// Reads the challenge of an authorization request (RFC 7636 §4.3).
    ///
    /// - Parameters:
    ///   - form: the request's parameters.
    ///   - rule: whether this client must send one.
    /// - Throws: `invalid_request` when it is missing although required, malformed, or its method is not `S256`.
    public init?(_ form: Form, rule: ProofKeyRule) throws(OAuthError) {
        let method = form["code_challenge_method"]
        guard let challenge = form["code_challenge"] else {
            guard method == nil else {
                throw OAuthError(
                    .invalidRequest,
                    "code_challenge_method was sent without code_challenge",
                    about: "code_challenge"
                )
            }
            guard rule == .optional else {
                throw OAuthError(
                    .invalidRequest,
                    "code_challenge is missing: this client must use PKCE with code_challenge_method=S256 (RFC 7636)",
                    about: "code_challenge"
                )
            }
            return nil
        }
        guard method == "S256" else {
            throw OAuthError(
                .invalidRequest,
                "code_challenge_method must be S256 (RFC 7636 section 4.3)",
                about: "code_challenge_method"
            )
        }
        guard Self.isWellFormed(challenge) else {
            throw OAuthError(
                .invalidRequest,
                "code_challenge must be 43 to 128 unreserved characters (RFC 7636 section 4.2)",
                about: "code_challenge"
            )
        }
        self.challenge = challenge
    }

    /// The challenge that belongs to a verifier (RFC 7636 §4.2).
    public init(verifier: String) {
        challenge = Base64URL.encode(SecretDigest(of: verifier).bytes)
    }

    /// Checks the verifier a token request presents against the challenge its code was bound to (RFC 7636 §4.6).
    ///
    /// Compares in constant time.
    /// - Parameter verifier: `code_verifier`, 43 to 128 unreserved characters (§4.1), or nil when absent.
    /// - Throws: `invalid_grant` when it is missing, malformed or does not match.
    public func check(_ verifier: String?) throws(OAuthError) {
        guard let verifier else {
            throw OAuthError(
                .invalidGrant,
                "code_verifier is missing: the authorization request had a code_challenge",
                about: "code_verifier"
            )
        }
        guard Self.isWellFormed(verifier),
            constantTimeEqual(ProofKey(verifier: verifier).challenge.utf8, challenge.utf8)
        else {
            throw OAuthError(
                .invalidGrant,
                "code_verifier does not match the code_challenge (RFC 7636 section 4.6)",
                about: "code_verifier"
            )
        }
    }

    private static func isWellFormed(_ text: String) -> Bool {
        (43...128).contains(text.utf8.count) && text.utf8.allSatisfy(\.isUnreserved)
    }
}

/// Whether a client must use PKCE.
///
/// Only a profile makes it optional, and only for a confidential client.
public enum ProofKeyRule: String, Sendable, CaseIterable {
    case required
    case optional
}
