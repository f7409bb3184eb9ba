import ArgumentParser
import OAuth
import OAuthServer
import OAuthStore

extension ClientCommand {
    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "create",
            abstract: "Register a client, and print its id and secret.",
            discussion: "For a partner whose profile comes with Latchkey: latchkey client create --partner ID"
        )

        @OptionGroup var ledger: LedgerOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var policy: ClientPolicyOptions

        @Option(help: "The secret to use instead of a random one; under 22 characters it works in test mode only.")
        var secret: String?

        @Option(help: "The client's id; the one that the profile fixes, or a random one by default.")
        var id: String?

        func run() async throws {
            try await ledger.withLedger(["partners": policy.partners]) { ledger in
                let registrar = try Registrar(ledger)
                let registration = try registration(registrar, ledger.ambient)
                let client = try registrar.client(registration)
                try policy.check(client, of: registration, secret: secret)
                let known = try registrar.testSecrets(registration)
                let new = client.isPublic ? nil : try NewSecret(chosen: secret, known: known, ambient: ledger.ambient)
                guard
                    try await ledger.store.register(
                        registration,
                        secret: new?.stored,
                        by: ledger.actor,
                        now: ledger.now
                    ),
                    let stored = try await ledger.store.client(client.id)
                else {
                    let isFixed = try registrar.profile(registration)?.rules.clientID != nil
                    throw Complaint(
                        isFixed
                            ? "this profile works with the client_id '\(client.id)' only, and there is such a client already: "
                                + "change that one with 'latchkey client update \(client.id)'"
                            : "the client id '\(client.id)' is taken: choose another one with --id, "
                                + "or change that client with 'latchkey client update \(client.id)'"
                    )
                }
                new?.warnIfWeak()
                client.warnOfSurprises()
                ledger.warnOfAudience(of: client)
                await ledger.warnOfResources(of: client)
                try registrar.described(stored)
                    .print(as: output, heading: "Registered \(client.name.plain).", secret: new?.secret)
            }
        }

        private func registration(_ registrar: Registrar, _ ambient: Ambient) throws -> ClientRegistration {
            let profile = try registrar.profile(ClientRegistration(id: "", name: "", partner: policy.partner))
            let id = id ?? profile?.rules.clientID?.text ?? ClientID.randomText(ambient.random)
            guard let name = policy.name ?? profile?.name else {
                throw Complaint("a client without --partner needs --name: what people read when it asks")
            }
            var registration = try policy.applied(to: ClientRegistration(id: id, name: name))
            try policy.checkProfileValues(of: registration, profile)
            if registration.grants == nil, !policy.audiences.isEmpty { registration.grants = [] }
            return registration
        }
    }

    struct Update: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "update",
            abstract: "Change a client.",
            discussion: """
                What is not named stays as it is. What may be repeated replaces the whole list, but for --profile-value; \
                --add-redirect-uri and --remove-redirect-uri change single redirect URIs. The value 'profile' takes back what was said of \
                --redirect-uri, --access-token, --access-token-lifetime, --refresh or --consent, and --profile-scopes what was \
                said of --scope, of which 'profile' may be one.
                """
        )

        @OptionGroup var ledger: LedgerOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var policy: ClientPolicyOptions

        @Option(name: .customLong("add-redirect-uri"), help: "One more redirect URI. May be repeated.")
        var addedURIs: [String] = []

        @Option(name: .customLong("remove-redirect-uri"), help: "A redirect URI to take away. May be repeated.")
        var removedURIs: [String] = []

        @Option(
            help: """
                A secret of your choice; the one before it works until the next rotation, and any older one ends. Under 22 \
                characters it works in test mode only. 'latchkey client rotate-secret' makes a random one.
                """
        )
        var secret: String?

        // A flag, for "profile" is a scope's name.
        @Flag(help: "Take back what was said of --scope: the profile says it again, or else all that there are.")
        var profileScopes = false

        @Argument(help: "The client's id.") var id: String

        func run() async throws {
            guard !policy.isEmpty || secret != nil || profileScopes || !addedURIs.isEmpty || !removedURIs.isEmpty else {
                throw Complaint(
                    "nothing to change: give one of --name, --redirect-uri, --add-redirect-uri, --remove-redirect-uri, "
                        + "--scope or another option that 'latchkey client update --help' shows"
                )
            }
            let id = try ClientID(argument: id)
            try await ledger.withLedger(["partners": policy.partners]) { ledger in
                let registrar = try Registrar(ledger)
                guard let before = try await ledger.store.client(id) else { throw Complaint(unknown: id) }
                let known = try registrar.testSecrets(try policy.applied(to: before.registration))
                let new = try secret.map { text throws(Complaint) in
                    try NewSecret(chosen: text, known: known, ambient: ledger.ambient)
                }
                let client = try await change(id, registrar, ledger)
                client.warnOfSurprises()
                let isRotated = try await rotate(id, to: new, ledger)
                await warnOfRefreshes(from: try? registrar.client(before.registration), to: client, ledger)
                await ledger.warnOfResources(of: client)
                guard let stored = try await ledger.store.client(id) else { throw Complaint(unknown: id) }
                if !client.isPublic, stored.secrets.isEmpty {
                    warn("this client has no secret yet: give it one with 'latchkey client rotate-secret \(id)'")
                }
                try registrar.described(stored).print(as: output, heading: "Changed \(client.name.plain).")
                guard isRotated, !before.secrets.isEmpty, !output.json else { return }
                print("\n  It has a new secret. \(NewSecret.keepsOne)")
            }
        }

        /// Gives the client the secret that was chosen, if one was; the newest one of those before lives on.
        /// - Returns: whether the client has a new secret.
        private func rotate(_ id: ClientID, to new: NewSecret?, _ ledger: Ledger) async throws -> Bool {
            guard let new else { return false }
            let isOther = try await ledger.store.rotateSecret(of: id, to: new.stored, by: ledger.actor, now: ledger.now)
            guard let isOther else { throw Complaint(unknown: id) }
            new.warnIfWeak()
            return isOther
        }

        /// Tells a partner's live connections that are refreshed with a redirect URI that was taken away.
        private func warnOfRefreshes(from before: Client?, to client: Client, _ ledger: Ledger) async {
            guard client.tokenRequest.mustSend.contains(.redirectURI),
                let old = before?.redirectURIs.first(where: { client.redirectURI(matching: $0.text) == nil }),
                let live = try? await ledger.store.liveCount(of: .client(client.id)).connections, live.count > 0
            else { return }
            warn(
                "the partner sends its redirect URI with each refresh: with '\(old.text)' the refreshes of "
                    + "\(live.counted("live connection")) are refused until it sends a new one"
            )
        }

        /// Changes the stored registration, unless what comes out cannot be a client.
        private func change(_ id: ClientID, _ registrar: Registrar, _ ledger: Ledger) async throws -> Client {
            // Checked inside the transaction, so that of two changes at once the second sees the first one's result.
            let done = try await ledger.store.update(id, by: ledger.actor, now: ledger.now) {
                registration throws(RegistrationError) in
                registration = try changed(registration, registrar)
                try policy.check(try registrar.client(registration), of: registration, secret: secret)
            }
            guard let done else { throw Complaint(unknown: id) }
            return try registrar.client(try done.outcome.get())
        }

        /// A registration as the options want it.
        private func changed(
            _ stored: ClientRegistration,
            _ registrar: Registrar
        ) throws(RegistrationError) -> ClientRegistration {
            var new = try policy.applied(to: stored)
            try policy.checkProfileValues(of: new, try registrar.profile(new))
            if profileScopes {
                guard policy.scopes.isEmpty else {
                    throw RegistrationError("--profile-scopes cannot stand beside --scope")
                }
                new.scopes = nil
            }
            guard !addedURIs.isEmpty || !removedURIs.isEmpty else { return new }
            var uris = new.redirectURIs ?? []
            if new.redirectURIs == nil {
                let client = try registrar.client(new)
                guard client.redirectHosts.isEmpty else { throw Self.wouldPin(client.redirectHosts) }
                uris = client.redirectURIs.map(\.text)
            }
            uris += addedURIs.filter { !uris.contains($0) }
            for uri in removedURIs {
                guard uris.contains(uri) else {
                    throw RegistrationError(
                        "'\(uri)' is not one of this client's redirect URIs: 'latchkey client show \(stored.id)' has them"
                    )
                }
                uris.removeAll { $0 == uri }
            }
            new.redirectURIs = uris
            return new
        }

        /// Nobody who names one URI more means to take all the others away.
        private static func wouldPin(_ hosts: [RedirectHost]) -> RegistrationError {
            RegistrationError(
                "the profile lets people be sent back to any https host below \(hosts.map(\.domain).joined(separator: ", ")), "
                    + "and --add-redirect-uri and --remove-redirect-uri would end that: to accept exact URIs only, name all "
                    + "of them with --redirect-uri"
            )
        }
    }

    struct RotateSecret: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rotate-secret",
            abstract: "Give a client a new secret, and print it.",
            discussion:
                "The secret before it works until the next rotation, so that the partner can change over in peace."
        )

        @OptionGroup var ledger: LedgerOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var confirmation: ConfirmationOptions

        @Flag(help: "End every older secret at once: for one that is in the wrong hands.")
        var now = false

        @Option(help: "The secret to use instead of a random one; under 22 characters it works in test mode only.")
        var secret: String?

        @Argument(help: "The client's id.") var id: String

        func run() async throws {
            let id = try ClientID(argument: id)
            try await ledger.withLedger { ledger in
                guard let stored = try await ledger.store.client(id) else { throw Complaint(unknown: id) }
                let registrar = try Registrar(ledger)
                guard try !registrar.client(stored.registration).isPublic else {
                    throw Complaint("the client '\(id)' is public: it has no secret")
                }
                let known = try registrar.testSecrets(stored.registration)
                let new = try NewSecret(chosen: secret, known: known, ambient: ledger.ambient)
                if now {
                    try Question.confirm(
                        "End every older secret of \(id) at once? The partner fails until it uses the new one.",
                        isAnswered: confirmation.yes
                    )
                    try await ledger.store.setSecret(of: id, to: new.stored, by: ledger.actor, now: ledger.now)
                } else if try await ledger.store
                    .rotateSecret(of: id, to: new.stored, by: ledger.actor, now: ledger.now) == nil
                {
                    throw Complaint(unknown: id)
                }
                new.warnIfWeak()
                guard !output.json else {
                    return try JSONValue.object([
                        "client_id": .text(id.text), "client_secret": .text(new.secret.reveal()),
                    ]).print()
                }
                var card = Card()
                card.add("client_id", id.text)
                card.add("client_secret", new.secret.reveal())
                card.print()
                print(
                    now
                        ? "\nThe secret is shown this once: keep it now. Every older secret has ended."
                        : "\nThe secret is shown this once: keep it now. \(NewSecret.keepsOne)"
                )
            }
        }
    }
}
