import ArgumentParser
import OAuth
import OAuthServer
import OAuthStore

/// `latchkey api-key …`: the credentials of programs that call the API without OAuth.
struct APIKeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "api-key",
        abstract: "Make, list and revoke API keys.",
        subcommands: [Create.self, List.self, Revoke.self]
    )
}

extension APIKeyCommand {
    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "create",
            abstract: "Make an API key, and print it this once.",
            discussion: "The API learns of it by introspection. A key without --account is the company's own."
        )

        @OptionGroup var ledger: LedgerOptions
        @OptionGroup var output: OutputOptions
        @Option(help: "What to call the key.") var name: String
        @Option(help: "Whom it speaks for: an account's user_id, or its e-mail address.") var account: String?
        @Option(help: "A scope that it allows. May be repeated.") var scope: [String] = []
        @Option(help: "An API that it is for; the server's own by default. May be repeated.")
        var audience: [String] = []

        func run() async throws {
            try await ledger.withLedger { ledger in
                var owner: AccountID?
                if let account { owner = try await ledger.account(account).id }
                let new = try NewAPIKey(name: name, account: owner, scopes: scope, audiences: audience)
                let id = APIKeyID(random: ledger.ambient.random)
                let secret = APIKeyText.make(random: ledger.ambient.random(32))
                let outcome = try await ledger.store.create(
                    new,
                    id: id,
                    digest: secret.digest,
                    by: ledger.actor,
                    now: ledger.now
                )
                guard case .created(let key) = outcome else {
                    throw Complaint("the account has been deleted: 'latchkey account list' shows those that there are")
                }
                await ledger.warnOfAudiences(of: key)
                try key.print(as: output, secret: secret)
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "List API keys, the newest first; never the keys themselves."
        )

        @OptionGroup var ledger: LedgerOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var page: PageOptions
        @Option(help: "Only those of this account, by its user_id or e-mail address.") var account: String?

        func run() async throws {
            try await ledger.withLedger { ledger in
                var owner: AccountID?
                if let account { owner = try await ledger.account(account).id }
                let keys = page.cut(try await ledger.store.apiKeys(of: owner, limit: page.wanted), "API keys")
                guard !output.json else { return try JSONValue.list(keys.map(\.json)).print() }
                var table = Table("API KEY ID", "NAME", "USER ID", "SCOPES", "SINCE (UTC)", "LAST USED (UTC)", "STATUS")
                for key in keys {
                    table.add(
                        key.id.description,
                        key.name,
                        key.account?.description ?? "–",
                        key.scope.isEmpty ? "–" : key.scope.description,
                        key.createdAt.brief,
                        key.lastUsedAt?.brief ?? "–",
                        key.status
                    )
                }
                table.print(otherwise: "No API keys yet: make one with 'latchkey api-key create'.")
            }
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "revoke",
            abstract: "Revoke an API key: it ends at once, and for good."
        )

        @OptionGroup var ledger: LedgerOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "The key's id, not the key.") var id: String

        func run() async throws {
            guard !id.hasPrefix(APIKeyText.prefix) else {
                throw Complaint("this is an API key itself: name it by its id, which 'latchkey api-key list' shows")
            }
            let id = try APIKeyID(argument: id, list: "latchkey api-key list")
            try await ledger.withLedger { ledger in
                let isRevoked = try await ledger.store.revokeAPIKey(id, by: ledger.actor, now: ledger.now)
                guard let key = try await ledger.store.apiKey(id) else {
                    throw Complaint("there is no API key \(id): 'latchkey api-key list' shows those that there are")
                }
                guard !output.json else { return try key.json.print() }
                print(isRevoked ? "Revoked the API key \(id)." : "The API key \(id) had been revoked before.")
            }
        }
    }
}

extension APIKey {
    fileprivate var status: String {
        revokedAt != nil ? "revoked" : accountIsDisabled ? "account disabled" : "active"
    }

    fileprivate var json: JSONValue { .object(members) }

    private var members: [String: JSONValue] {
        [
            "api_key_id": .text(id.description),
            "name": .text(name),
            "user_id": .text(account?.description),
            "scopes": .texts(scope.names),
            "audiences": .texts(audiences),
            "created_at": .instant(createdAt),
            "last_used_at": .instant(lastUsedAt),
            "revoked_at": .instant(revokedAt),
            "status": .text(revokedAt == nil ? "active" : "revoked"),
            "account_disabled": .flag(accountIsDisabled),
        ]
    }

    /// Prints a new key in full, with its secret, which is shown this once.
    fileprivate func print(as output: OutputOptions, secret: Secret) throws {
        guard !output.json else {
            return try JSONValue.object(members.merging(["api_key": .text(secret.reveal())]) { own, _ in own }).print()
        }
        Swift.print(Ink.output.bold("Made the API key \(name.plain).") + "\n")
        var card = Card()
        card.add("api_key_id", id.description)
        card.add("api_key", secret.reveal())
        card.add("user_id", account?.description ?? "– (the company's own)")
        card.add("scopes", scope.names)
        if !audiences.isEmpty { card.add("audiences", audiences) }
        card.print()
        Swift.print("\n  The key is shown this once: keep it now.")
    }
}
