import FoundationEssentials
public import OAuth

/// Something that has ended for good, or was changed, as a line of the revocation log tells it: names and times, no secrets.
public struct Ending: Sendable, Hashable {
    /// What has ended.
    public enum Kind: String, Sendable, Codable, CaseIterable {
        case connection = "connection.revoked"
        /// All connections of a client that were made `until` then, or that there were; the client lives on.
        case connectionsOfClient = "client.connections_revoked"
        case clientDisabled = "client.disabled"
        case clientEnabled = "client.enabled"
        case clientDeleted = "client.deleted"
        /// Secrets of a client that are older than `until`.
        case clientSecrets = "client.secrets_ended"
        case accountDisabled = "account.disabled"
        case accountEnabled = "account.enabled"
        case accountDeleted = "account.deleted"
        case apiKey = "api_key.revoked"
        /// A single access token, which would have lived `until`.
        case accessToken = "access_token.revoked"
        case operatorDisabled = "operator.disabled"
        case operatorEnabled = "operator.enabled"
        case operatorRemoved = "operator.removed"
        /// A signing key that was ended at once.
        case signingKey = "key.ended"
        /// Told only: the log cannot say what the new one is.
        case accountPassword = "account.password_changed"
        /// Told only.
        case accountEmail = "account.email_changed"
        /// Told only.
        case clientSettings = "client.updated"

        /// Whether the log only tells of it: a restored database holds what was there before.
        public var isTold: Bool { [.accountPassword, .accountEmail, .clientSettings].contains(self) }
    }

    /// When.
    public let at: Instant
    /// What kind of thing.
    public let kind: Kind
    /// Which one, as the command line writes its identifier.
    public let id: String
    /// Why a connection was cut.
    public let why: String?
    /// A time that belongs to the kind.
    public let until: Instant?

    /// Makes a line of the log.
    public init(at: Instant, _ kind: Kind, _ id: String, why: String? = nil, until: Instant? = nil) {
        self.at = at
        self.kind = kind
        self.id = id
        self.why = why
        self.until = until
    }

    /// By what it is known again: a single token has no time of its end in the database, and is ended anew by whoever asks.
    var known: Ending { kind == .accessToken ? Ending(at: until ?? at, kind, id, until: until) : self }

    /// Reads a line; nil when it is damaged, or written by a release that knows more.
    init?(line: some StringProtocol) {
        guard let written = try? JSONDecoder().decode(Written.self, from: Data(line.utf8)),
            let kind = written.ended.flatMap(Kind.init(rawValue:)), let id = written.id
        else { return nil }
        self.init(
            at: Instant(milliseconds: written.at),
            kind,
            id,
            why: written.why,
            until: written.until.map(Instant.init(milliseconds:))
        )
    }

    /// The line, with its end.
    var line: String {
        Written(
            at: at.milliseconds,
            ended: kind.rawValue,
            id: id,
            why: why,
            until: until?.milliseconds
        ).line
    }

    /// The form of a line; one without an ending says that all that had ended until then is in the file, or in an earlier one.
    struct Written: Codable {
        var at: Int64
        var ended: String?
        var id: String?
        var why: String?
        var until: Int64?

        var line: String {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            // Texts and numbers can always be written.
            return String(decoding: (try? encoder.encode(self)) ?? Data(), as: UTF8.self) + "\n"
        }
    }
}
