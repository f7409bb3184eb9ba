import ArgumentParser
import OAuth
import OAuthServer
import OAuthStore

/// `latchkey operator …`: the people who run the server through its console.
struct OperatorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "operator",
        abstract: "Invite the people who run the console, and change what they may do.",
        subcommands: [Invite.self, Withdraw.self, List.self, Disable.self, Enable.self, Delete.self]
    )
}

extension OperatorCommand {
    struct Invite: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "invite",
            abstract: "Print a one-time link by which somebody becomes an operator.",
            discussion: """
                The link works once, and for 24 hours. Who opens it chooses a password and is in. It begins with the issuer: \
                give the same one as the server has. An earlier link to the same address is dead then; \
                'latchkey operator withdraw' takes a link back.
                """
        )

        @OptionGroup var ledger: LedgerOptions
        @OptionGroup var output: OutputOptions
        @Option(help: "The issuer of the server, if no setting names it.") var issuer: String?
        @Option(help: "What to call the operator.") var name: String?
        @Option(help: "The address by which the operator signs in; without it they choose one.") var email: String?
        @Flag(help: "Let them see everything and change nothing.") var readOnly = false

        /// How long a link works.
        private static let lifetime = Duration.hours(24)

        func run() async throws {
            let name = try name.map { text throws(Complaint) in try AccountName(text).text }
            let email = try email.map { text throws(Complaint) in try EmailAddress(typed: text).text }
            try await ledger.withLedger(["issuer": issuer]) { ledger in
                let code = "lko_" + Base64URL.encode(ledger.ambient.random(32))
                let now = ledger.now
                let invitation = OperatorInvitation(
                    digest: SecretDigest(of: code),
                    name: name,
                    email: email,
                    role: readOnly ? .readOnly : .full,
                    expiresAt: now + Self.lifetime
                )
                let settings = try ledger.deployment.serverSettings()
                guard try await ledger.store.invite(invitation, by: ledger.actor, now: now) else {
                    throw Complaint(
                        "an operator with the e-mail \(email ?? "") exists already: 'latchkey operator list' shows it, "
                            + "and after 'latchkey operator delete' it can be invited anew"
                    )
                }
                if ledger.deployment.issuer == nil {
                    warn(
                        "no setting names the issuer, so the link leads to a server on this machine alone: where people reach it "
                            + "by another address, say that one with --issuer, or set issuer (LATCHKEY_ISSUER)"
                    )
                }
                let link = settings.issuer.url("/console/invitation?code=\(code)")
                guard !output.json else {
                    return try JSONValue.object([
                        "link": .text(link), "role": .text(invitation.role.rawValue),
                        "expires_at": .instant(invitation.expiresAt),
                    ]).print()
                }
                print(Ink.output.bold("Open this link, once, before \(invitation.expiresAt.brief) UTC:") + "\n")
                print("  \(link)\n")
                print("Who opens it becomes an operator: hand it over as you would a password.")
            }
        }
    }

    struct Withdraw: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "withdraw",
            abstract: "Take back invitations that nobody has used yet: their links are dead at once."
        )

        @OptionGroup var ledger: LedgerOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "The address that was invited; without it, every open invitation.") var email: String?

        func run() async throws {
            let email = try email.map { text throws(Complaint) in try EmailAddress(typed: text).text }
            try await ledger.withLedger { ledger in
                let count = try await ledger.store.withdrawInvitations(to: email, by: ledger.actor, now: ledger.now)
                guard !output.json else { return try JSONValue.object(["withdrawn": .number(Int64(count))]).print() }
                guard count == 0 else {
                    return print("Took back \(latchkey.count(count, "invitation")): a link that was not used is dead.")
                }
                print(
                    email.map {
                        "There was no open invitation to \($0). One that was made without --email is taken back with all others: "
                            + "'latchkey operator withdraw'."
                    } ?? "There was no open invitation."
                )
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List the operators.")

        @OptionGroup var ledger: LedgerOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await ledger.withLedger { ledger in
                let operators = try await ledger.store.operators()
                guard !output.json else { return try JSONValue.list(operators.map(\.json)).print() }
                var table = Table("OPERATOR ID", "EMAIL", "NAME", "ROLE", "STATE", "LAST SIGN-IN (UTC)")
                for account in operators {
                    table.add(
                        account.id.description,
                        account.email,
                        account.name,
                        account.role.rawValue,
                        account.state,
                        account.lastSignedInAt?.brief ?? "–"
                    )
                }
                table.print(otherwise: "No operators yet: invite one with 'latchkey operator invite'.")
            }
        }
    }

    struct Disable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "disable",
            abstract: "Keep an operator out, and end its sessions, until it is enabled again."
        )

        @OptionGroup var ledger: LedgerOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: ArgumentHelp("The operator's id, or its e-mail address.", valueName: "operator"))
        var account: String

        func run() async throws {
            try await ledger.withLedger { ledger in
                try await ledger.setOperator(account, disabledAt: ledger.now, output)
            }
        }
    }

    struct Enable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "enable",
            abstract: "Let a disabled operator in again."
        )

        @OptionGroup var ledger: LedgerOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: ArgumentHelp("The operator's id, or its e-mail address.", valueName: "operator"))
        var account: String

        func run() async throws {
            try await ledger.withLedger { ledger in
                try await ledger.setOperator(account, disabledAt: nil, output)
            }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "delete",
            abstract: "Delete an operator, and end its sessions."
        )

        @OptionGroup var ledger: LedgerOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var confirmation: ConfirmationOptions
        @Argument(help: ArgumentHelp("The operator's id, or its e-mail address.", valueName: "operator"))
        var account: String

        func run() async throws {
            try await ledger.withLedger { ledger in
                let found = try await ledger.operatorAccount(account)
                try Question.confirm(
                    "Delete the operator \(found.email.plain)?",
                    isAnswered: confirmation.yes
                )
                guard try await ledger.store.deleteOperator(found.id, by: ledger.actor, now: ledger.now) else {
                    throw Complaint("the operator \(found.id) was deleted by somebody else meanwhile")
                }
                guard !output.json else {
                    return try JSONValue.object([
                        "operator_id": .text(found.id.description), "deleted": .flag(true),
                    ]).print()
                }
                print("Deleted the operator \(found.email.plain).")
            }
        }
    }
}

extension Ledger {
    /// The operator that an argument means: by its identifier, or by its address.
    fileprivate func operatorAccount(_ argument: String) async throws -> Operator {
        let found = try await store.operators().first {
            argument.contains("@")
                ? EmailAddress.key(of: $0.email) == EmailAddress.key(of: argument) : $0.id.description == argument
        }
        guard let found else {
            throw Complaint(
                "there is no operator '\(argument)': 'latchkey operator list' shows those that there are"
            )
        }
        return found
    }

    fileprivate func setOperator(_ argument: String, disabledAt instant: Instant?, _ output: OutputOptions) async throws
    {
        let id = try await operatorAccount(argument).id
        guard let account = try await store.setOperator(id, disabledAt: instant, by: actor, now: now) else {
            throw Complaint("the operator \(id) was deleted by somebody else meanwhile")
        }
        guard !output.json else { return try account.json.print() }
        print(
            instant == nil
                ? "Enabled the operator \(account.email.plain)."
                : "Disabled the operator \(account.email.plain): its sessions have ended."
        )
    }
}

extension Operator {
    fileprivate var state: String { disabledAt == nil ? "enabled" : "disabled" }

    fileprivate var json: JSONValue {
        .object([
            "operator_id": .text(id.description),
            "email": .text(email),
            "name": .text(name),
            "role": .text(role.rawValue),
            "disabled": .flag(disabledAt != nil),
            "created_at": .instant(createdAt),
            "last_signed_in_at": .instant(lastSignedInAt),
        ])
    }
}
