import OAuth
import OAuthServer

/// A secret that is about to be given to a client.
struct NewSecret: Sendable {
    let secret: Secret
    let stored: ClientSecret

    /// Takes the secret that an operator chose, or makes one of 256 random bits.
    ///
    /// - Parameters:
    ///   - text: the operator's choice.
    ///   - known: secrets that the client's profile prints, which protect nothing.
    ///   - ambient: randomness.
    /// - Throws: a `Complaint` for a secret that cannot be sent.
    init(chosen text: String?, known: [String], ambient: Ambient) throws(Complaint) {
        guard let text else {
            secret = ClientSecret.make(random: ambient.random(32))
            stored = ClientSecret(digest: secret.digest, isForTests: false)
            return
        }
        guard (1...ClientSecret.maximumLength).contains(text.utf8.count),
            text.utf8.allSatisfy({ (0x20...0x7E).contains($0) })
        else {
            throw Complaint("a secret must be 1 to \(ClientSecret.maximumLength) printable ASCII characters")
        }
        secret = Secret(text)
        stored = ClientSecret(
            digest: secret.digest,
            isForTests: text.utf8.count < ClientSecret.minimumLength || known.contains(text)
        )
    }

    /// What a rotation does to the secrets that were there.
    static let keepsOne = "The one before it works until the next rotation; any older one has ended."

    /// Says so when the secret protects nothing.
    func warnIfWeak() {
        guard stored.isForTests else { return }
        warn(
            "this secret is shorter than \(ClientSecret.minimumLength) characters or known to everybody: "
                + "it works in test mode only "
                + "('latchkey serve --test-mode'); elsewhere the token endpoint refuses it"
        )
    }
}
