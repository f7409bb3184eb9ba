import Crypto
import OAuth

/// Seals and opens transactions, and makes their codes.
struct TransactionSeal: Sendable {
    private let key: SymmetricKey
    private let codeKey: SymmetricKey
    private static let version: UInt8 = 1

    /// Why a transaction cannot go on.
    enum Failure: Error, Sendable, Equatable {
        /// It is not one of ours, or the person took too long.
        case expired
        /// It was begun in another browser, with these parameters.
        case otherBrowser(Form)
    }

    /// Derives the keys.
    ///
    /// - Parameters:
    ///   - secretKey: the key that is kept outside the database.
    ///   - epoch: when the database was last restored, 0 for never: what was under way then never goes on.
    init(secretKey: SecretKey, epoch: Int64 = 0) {
        key = secretKey.derived(for: "authorization transactions" + (epoch == 0 ? "" : " since \(epoch)"))
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
        for account in [transaction.proved, transaction.selected, transaction.named] {
            content.write(account?.bytes ?? [])
        }
        for (name, value) in transaction.parameters.pairs {
            content.write(name)
            content.write(value)
        }
        if let listed = transaction.listed {
            // As a parameter without a name, of which there is none: releases that know nothing of it pass over it.
            content.write("")
            content.write(listed.description)
        }
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
            let startedAt = content.instant(),
            let proved = content.bytes(), let selected = content.bytes(), let named = content.bytes(),
            let (parameters, listed) = Self.parameters(&content),
            now < startedAt + AuthorizationTransaction.lifetime
        else { throw .expired }
        guard let browser, browser.matches(stored) else { throw .otherBrowser(parameters) }
        return AuthorizationTransaction(
            id: id,
            browser: stored,
            startedAt: startedAt,
            parameters: parameters,
            proved: AccountID(bytes: proved),
            selected: AccountID(bytes: selected),
            named: AccountID(bytes: named),
            listed: listed
        )
    }

    private static func parameters(_ content: inout FieldReader) -> (Form, listed: Scope?)? {
        var pairs: [(name: String, value: String)] = []
        var listed: Scope?
        while !content.isAtEnd {
            guard let name = content.text(), let value = content.text() else { return nil }
            guard name.isEmpty else {
                pairs.append((name, value))
                continue
            }
            guard let scope = try? Scope(value) else { return nil }
            listed = scope
        }
        return (Form(pairs: pairs), listed)
    }

    /// The code of a transaction: 256 bits that nobody can guess, and the same each time, so that a form that was sent
    /// twice does not lead to two codes.
    func code(of transaction: AuthorizationTransaction) -> Secret {
        AuthorizationCode.make(random: Array(HMAC<SHA256>.authenticationCode(for: transaction.id, using: codeKey)))
    }
}
