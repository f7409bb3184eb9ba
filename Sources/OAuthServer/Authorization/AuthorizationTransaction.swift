import Crypto
import OAuth

/// An authorization on its way from the partner's link to the code: kept nowhere but in the browser, sealed.
///
/// It is bound to the browser that began it by that browser's own cookie (RFC 6749 §10.12), so it also is what
/// protects the sign-in and consent forms from being sent by another site.
struct AuthorizationTransaction: Sendable, Equatable {
    /// 16 random bytes; at most one code comes of them.
    let id: [UInt8]
    /// The hash of the browser's cookie.
    let browser: SecretDigest
    /// When it began.
    let startedAt: Instant
    /// The authorization request's parameters, form-encoded as they came.
    let parameters: String
    /// The account that the person chose on the way.
    var selected: AccountID?
    /// The account that the consent page names: nobody else can allow it.
    var asked: AccountID?

    /// How long a person may take.
    static let lifetime = Duration.hours(1)
}

/// Seals and opens transactions, and makes their codes.
struct TransactionSeal: Sendable {
    private let key: SymmetricKey
    private let codeKey: SymmetricKey
    private static let version: UInt8 = 1

    /// Why a transaction cannot go on.
    enum Failure: Error, Sendable {
        /// It is not one of ours, or the person took too long.
        case expired
        /// It was begun in another browser.
        case otherBrowser
    }

    init(secretKey: SecretKey) {
        key = secretKey.derived(for: "authorization transactions")
        codeKey = secretKey.derived(for: "authorization codes")
    }

    /// The text that forms and links carry.
    ///
    /// - Parameters:
    ///   - transaction: what it says.
    ///   - id: 16 random bytes for this text, not for the transaction.
    /// - Returns: base64url that only this server can make and read.
    /// - Throws: the cryptographic library's error when it cannot seal.
    func seal(_ transaction: AuthorizationTransaction, id: [UInt8]) throws -> String {
        var content = FieldWriter(version: Self.version)
        content.write(transaction.id)
        content.write(transaction.browser.bytes)
        content.write(transaction.startedAt)
        content.write(transaction.parameters)
        content.write(transaction.selected?.bytes ?? [])
        content.write(transaction.asked?.bytes ?? [])
        return try SealedText.seal(content.bytes, id: id, key: key)
    }

    /// Opens a text that a browser sent.
    ///
    /// - Parameters:
    ///   - text: what the form or link carried.
    ///   - browser: the hash of that browser's cookie, nil when it has none.
    ///   - now: the time of the request.
    /// - Returns: the authorization that goes on.
    /// - Throws: `Failure.expired` when the text is not one of ours or too old, then `Failure.otherBrowser` when the
    ///   cookie is missing or not the one that it was sealed for.
    func open(_ text: String, browser: SecretDigest?, now: Instant) throws(Failure) -> AuthorizationTransaction {
        guard let sealed = SealedText.open(Array(text.utf8), keys: [key]),
            var content = FieldReader(sealed.content, version: Self.version),
            let id = content.bytes(), let stored = content.bytes().flatMap({ SecretDigest(bytes: $0) }),
            let startedAt = content.instant(), let parameters = content.text(),
            let selected = content.bytes(), let asked = content.bytes(), content.isAtEnd,
            now < startedAt + AuthorizationTransaction.lifetime
        else { throw .expired }
        guard let browser, browser.matches(stored) else { throw .otherBrowser }
        return AuthorizationTransaction(
            id: id,
            browser: stored,
            startedAt: startedAt,
            parameters: parameters,
            selected: AccountID(bytes: selected),
            asked: AccountID(bytes: asked)
        )
    }

    /// The code of a transaction: 256 bits that nobody can guess, and the same each time, so that a form that was sent
    /// twice does not lead to two codes.
    func code(of transaction: AuthorizationTransaction) -> Secret {
        AuthorizationCode.make(random: Array(HMAC<SHA256>.authenticationCode(for: transaction.id, using: codeKey)))
    }
}
