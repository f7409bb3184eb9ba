import Crypto
import HTTPTypes
import OAuth
import OAuthStore

/// What the console's forms and messages are bound to a session with.
struct ConsoleSeal: Sendable {
    private let tokenKey: SymmetricKey
    private let flashKey: SymmetricKey
    private static let version: UInt8 = 1

    init(secretKey: SecretKey) {
        tokenKey = secretKey.derived(for: "console forms")
        flashKey = secretKey.derived(for: "console messages")
    }

    /// What every form of a session carries, and no other site can know (ASVS 3.5.1).
    func token(of session: OperatorSession) -> String { token(session.id, "session") }

    /// What the forms before a sign-in carry: bound to the browser's own cookie, against login CSRF.
    func token(of browser: SecretDigest) -> String { token(browser.bytes, "browser") }

    /// Makes sure that a form came from a page of this session.
    func check(_ token: String?, of session: OperatorSession) throws(PageRefusal) {
        try check(token, self.token(of: session))
    }

    /// Makes sure that a form came from a page that this browser was shown.
    func check(_ token: String?, of browser: SecretDigest?) throws(PageRefusal) {
        try check(token, browser.map { self.token(of: $0) })
    }

    private func check(_ token: String?, _ expected: String?) throws(PageRefusal) {
        guard let token, let expected, SecretDigest(of: token).matches(SecretDigest(of: expected)) else {
            throw PageRefusal(
                problem: .other(
                    title: "This form is too old",
                    what: "It was shown in another session, or this browser did not keep our cookie. Nothing was done.",
                    next: "Go back, load the page again, and send the form once more."
                ),
                error: OAuthError(.accessDenied, "the form does not belong to this session"),
                status: .forbidden
            )
        }
    }

    private func token(_ subject: [UInt8], _ kind: String) -> String {
        Base64URL.encode(Array(HMAC<SHA256>.authenticationCode(for: Array(kind.utf8) + [0] + subject, using: tokenKey)))
    }

    // MARK: Messages

    func seal(_ flash: ConsoleFlash, of session: OperatorSession, id: [UInt8]) throws -> String {
        var content = FieldWriter(version: Self.version)
        content.write(session.id)
        // A browser drops a cookie of more than 4096 bytes, and with it what was said and the way back.
        content.write(flash.text.shown(limit: Self.textLimit))
        content.write(flash.undo?.action ?? "")
        for (name, value) in flash.undo?.hidden ?? [] {
            content.write(name)
            content.write(value)
        }
        return try SealedText.seal(content.bytes, id: id, key: flashKey)
    }

    func flash(_ text: String, of session: OperatorSession) -> ConsoleFlash? {
        guard text.utf8.count <= Self.flashLimit, let sealed = SealedText.open(Array(text.utf8), keys: [flashKey]),
            var content = FieldReader(sealed.content, version: Self.version),
            content.bytes() == session.id, let said = content.text(), let action = content.text()
        else { return nil }
        var hidden: [(String, String)] = []
        while let name = content.text(), let value = content.text() { hidden.append((name, value)) }
        return ConsoleFlash(said, undo: action.isEmpty ? nil : ConsoleForm(action, button: "Undo", hidden: hidden))
    }

    /// How much of what is said is kept, so that what undoes it has room beside it.
    private static let textLimit = 300

    /// The longest cookie that is looked at.
    private static let flashLimit = 3_800
}

/// What a page says of the change before it, and how that is undone.
struct ConsoleFlash: Sendable {
    let text: String
    /// The form behind the Undo button.
    let undo: ConsoleForm?

    init(_ text: String, undo: ConsoleForm? = nil) {
        self.text = text
        self.undo = undo
    }
}
