import Crypto
import HTTPTypes
import OAuth
import OAuthStore

/// What the forms and notices of the customer's page are bound to a browser with (ASVS 3.5.1).
struct AccountSeal: Sendable {
    private let key: SymmetricKey

    /// What a page may say about the step that led to it.
    enum Notice: String, CaseIterable, Sendable {
        case disconnected, oneDisconnected, wasDisconnected, sessionEnded, othersEnded, passwordChanged, outOfDate
    }

    init(secretKey: SecretKey) {
        key = secretKey.derived(for: "account forms")
    }

    /// What every form of a session carries, and no other site can know.
    func token(of session: Session) -> String { tag("session", session.digest) }

    /// What the sign-in form carries: bound to the browser's own cookie, against login CSRF.
    func token(of browser: SecretDigest) -> String { tag("browser", browser) }

    /// Makes sure that a form came from a page of ours, in this browser or session.
    /// - Throws: `PageRefusal`, when its token is missing or another one's.
    func check(_ form: Form, _ expected: String) throws(PageRefusal) {
        guard let token = form["transaction"], SecretDigest(of: token).matches(SecretDigest(of: expected)) else {
            throw PageRefusal(
                problem: .known(.expired),
                error: OAuthError(.accessDenied, "the form does not belong to this browser's session"),
                status: .forbidden
            )
        }
    }

    /// The text by which a redirect carries a notice: a link from elsewhere cannot make a page say anything.
    func text(of notice: Notice, in session: SecretDigest) -> String {
        "\(notice.rawValue).\(tag(notice.rawValue, session))"
    }

    /// The notice that a redirect of ours carries; nil for anything else.
    func notice(_ text: String?, in session: SecretDigest) -> Notice? {
        Notice.allCases.first { text == self.text(of: $0, in: session) }
    }

    private func tag(_ purpose: String, _ subject: SecretDigest) -> String {
        let code = HMAC<SHA256>.authenticationCode(for: Array(purpose.utf8) + [0] + subject.bytes, using: key)
        return Base64URL.encode(Array(code.prefix(24)))
    }
}
