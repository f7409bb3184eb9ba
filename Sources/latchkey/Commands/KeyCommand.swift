import ArgumentParser
import OAuth
import OAuthServer
import OAuthStore

/// `latchkey key …`: the keys that sign and seal tokens.
struct KeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key",
        abstract: "See and rotate the keys that tokens are made with.",
        subcommands: [List.self, Rotate.self]
    )
}

extension KeyCommand {
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "List the keys and what each is doing now."
        )

        @OptionGroup var ledger: LedgerOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await ledger.withLedger { ledger in
                let keys = try await ledger.store.keys()
                let signing = keys.signing(at: ledger.now)
                let described = keys.reversed().map { key in
                    KeyDescription(key: key, state: key.state(at: ledger.now, signing: signing))
                }
                guard !output.json else { return try JSONValue.list(described.map(\.json)).print() }
                var table = Table(
                    "KEY ID",
                    "PURPOSE",
                    "ALGORITHM",
                    "STATE",
                    "CREATED (UTC)",
                    "ACTIVE FROM (UTC)",
                    "ENDS (UTC)"
                )
                for item in described {
                    let key = item.key
                    table.add(
                        key.id,
                        key.purpose.rawValue,
                        key.algorithm,
                        item.state.rawValue,
                        key.createdAt.brief,
                        key.activeAt.brief,
                        key.expiresAt?.brief ?? "–"
                    )
                }
                table.print(otherwise: "No keys yet: the first start of the server makes them.")
            }
        }
    }

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rotate",
            abstract: "Add a signing key: published at once, signing after the lead.",
            discussion: """
                Older keys stay published until the last token that they may have signed is dead. With --now they end at once, \
                and with them every JWT that they signed: for a key that is in the wrong hands.
                """
        )

        @OptionGroup var ledger: LedgerOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var confirmation: ConfirmationOptions

        @Flag(help: "Sign with the new key at once, and end every older one.")
        var now = false

        @Option(
            help: "How many seconds the key is published before it signs; at least 5. The setting key-lead by default."
        )
        var lead: Int64?

        @Option(help: "ES256, RS256 or EdDSA. The setting signing-algorithm by default.")
        var algorithm: String?

        func validate() throws {
            guard lead == nil || !now else { throw ValidationError("--now and --lead cannot stand together") }
            guard (5...2_592_000).contains(lead ?? 5) else {
                throw ValidationError("--lead must be 5 to 2592000 seconds: nodes need a moment to take over a new key")
            }
        }

        func run() async throws {
            try await ledger.withLedger { ledger in
                let settings = ledger.deployment.settings
                let algorithm = try chosenAlgorithm(settings.signingAlgorithm)
                let cabinet = KeyCabinet(
                    store: ledger.store,
                    secretKey: try await ledger.deployment.secretKey(for: ledger.store),
                    actor: ledger.actor
                )
                guard try await !ledger.store.keys().isEmpty else {
                    try await cabinet.prepare(algorithm, lead: settings.keyLead, now: ledger.now)
                    return try await report(ledger, heading: "Made the first keys.")
                }
                if now {
                    try Question.confirm(
                        "End every older signing key, and with them every JWT that was signed so far?",
                        isAnswered: confirmation.yes
                    )
                    _ = try await cabinet.replaceAtOnce(algorithm, now: ledger.now)
                    try await report(ledger, heading: "Replaced the signing key. Every older one has ended.")
                } else {
                    let lead = lead.map { Duration.seconds($0) } ?? settings.keyLead
                    try await cabinet.rotate(algorithm, lead: lead, now: ledger.now)
                    try await report(ledger, heading: "Added a signing key.")
                }
            }
        }

        private func chosenAlgorithm(_ standard: SignatureAlgorithm) throws(Complaint) -> SignatureAlgorithm {
            guard let text = algorithm else { return standard }
            guard let chosen = Notation<SignatureAlgorithm>.choice.read(text) else {
                throw Complaint(
                    "'\(text)' is not an algorithm: it must be \(Notation<SignatureAlgorithm>.choice.expected)"
                )
            }
            if chosen != standard {
                warn(
                    "the setting signing-algorithm says \(standard.rawValue): set it to \(chosen.rawValue) too, "
                        + "or the next start of the server adds a key of that algorithm"
                )
            }
            return chosen
        }

        private func report(_ ledger: Ledger, heading: String) async throws {
            let keys = try await ledger.store.keys()
            guard let key = keys.last(where: { $0.purpose == .signing }) else { return }
            let state = key.state(at: ledger.now, signing: keys.signing(at: ledger.now))
            guard !output.json else { return try KeyDescription(key: key, state: state).json.print() }
            print(Ink.output.bold(heading) + "\n")
            var card = Card()
            card.add("key_id", key.id)
            card.add("algorithm", key.algorithm)
            card.add("signs from", key.activeAt.brief + " UTC")
            card.print()
        }
    }
}

/// A key as people and programs see it: never its material.
private struct KeyDescription: Sendable {
    let key: StoredKey
    let state: StoredKey.State

    var json: JSONValue {
        .object([
            "key_id": .text(key.id),
            "purpose": .text(key.purpose.rawValue),
            "algorithm": .text(key.algorithm),
            "state": .text(state.rawValue),
            "created_at": .instant(key.createdAt),
            "active_at": .instant(key.activeAt),
            "expires_at": .instant(key.expiresAt),
        ])
    }
}
