import ArgumentParser
import OAuth
import OAuthServer
import OAuthStore

/// `latchkey account …`: the people who sign in here.
struct AccountCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "account",
        abstract: "Make and change the accounts that people sign in with.",
        subcommands: [
            Create.self, List.self, Show.self, SetEmail.self, SetPassword.self, Disable.self, Enable.self, Delete.self,
            Import.self,
        ]
    )
}

extension AccountCommand {
    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "create", abstract: "Make an account.")

        @OptionGroup var ledger: LedgerOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var password: PasswordOptions
        @Option(help: "The address that the person signs in with.") var email: String
        @Option(help: "What to call the person.") var name: String?

        func run() async throws {
            let email = try EmailAddress(typed: email)
            let name = try name.map { text throws(Complaint) in try AccountName(text).text }
            try await ledger.withLedger { ledger in
                let taken = Complaint("an account with the e-mail \(email.text) exists already")
                // Nobody types a password twice to read that afterwards.
                guard try await ledger.store.credentials(typed: email.text) == nil else { throw taken }
                let password = try password.read()
                let new = Store.NewAccount(
                    id: AccountID(random: ledger.ambient.random),
                    email: email.text,
                    name: name,
                    passwordHash: try await password.hashed()
                )
                let made = try await ledger.store.create(new, by: ledger.actor, now: ledger.now)
                guard let made else { throw taken }
                try AccountDescription(made).print(as: output, heading: "Made the account.")
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "List the accounts, the newest first."
        )

        @OptionGroup var ledger: LedgerOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var page: PageOptions

        func run() async throws {
            try await ledger.withLedger { ledger in
                let accounts = page.cut(try await ledger.store.accounts(limit: page.wanted), "accounts")
                    .map { AccountDescription($0) }
                guard !output.json else { return try JSONValue.list(accounts.map { $0.json }).print() }
                var table = Table("USER ID", "EMAIL", "NAME", "STATE", "CREATED (UTC)")
                for item in accounts {
                    let account = item.account
                    table.add(
                        account.id.description,
                        account.email,
                        account.name ?? "–",
                        item.state,
                        account.createdAt.brief
                    )
                }
                table.print(otherwise: "No accounts yet: make one with 'latchkey account create'.")
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "show", abstract: "Show one account.")

        @OptionGroup var ledger: LedgerOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "The account's user_id, or its e-mail address.") var account: String

        func run() async throws {
            try await ledger.withLedger { ledger in
                let account = try await ledger.account(account)
                let live = try await ledger.store.liveCount(of: .account(account.id)).connections
                try AccountDescription(account, connections: live.count).print(as: output)
            }
        }
    }

    struct SetEmail: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "set-email",
            abstract: "Change the address of an account. Its user_id and its connections stay."
        )

        @OptionGroup var ledger: LedgerOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "The account's user_id, or its e-mail address.") var account: String
        @Argument(help: "The new address.") var email: String

        func run() async throws {
            let email = try EmailAddress(typed: email)
            try await ledger.withLedger { ledger in
                let account = try await ledger.change(account, .email(email.text), ifTaken: email.text)
                try AccountDescription(account).print(as: output, heading: "Changed the address.")
            }
        }
    }

    struct SetPassword: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "set-password",
            abstract: "Give an account a new password. Its browsers are signed out; its connections stay."
        )

        @OptionGroup var ledger: LedgerOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var password: PasswordOptions
        @Argument(help: "The account's user_id, or its e-mail address.") var account: String

        func run() async throws {
            try await ledger.withLedger { ledger in
                _ = try await ledger.account(account)
                let new = try password.read()
                let changed = try await ledger.change(account, .passwordHash(try await new.hashed()))
                try AccountDescription(changed).print(as: output, heading: "Changed the password.")
            }
        }
    }

    struct Disable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "disable",
            abstract: "Disable an account: nobody signs in, and its tokens are inactive, until it is enabled again."
        )

        @OptionGroup var ledger: LedgerOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "The account's user_id, or its e-mail address.") var account: String

        func run() async throws {
            try await ledger.withLedger { ledger in
                let account = try await ledger.change(account, .disabled(at: ledger.now))
                try AccountDescription(account).print(as: output, heading: "Disabled the account.")
            }
        }
    }

    struct Enable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "enable",
            abstract: "Enable a disabled account: its connections work again."
        )

        @OptionGroup var ledger: LedgerOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "The account's user_id, or its e-mail address.") var account: String

        func run() async throws {
            try await ledger.withLedger { ledger in
                let account = try await ledger.change(account, .disabled(at: nil))
                try AccountDescription(account).print(as: output, heading: "Enabled the account.")
            }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "delete",
            abstract: "Delete an account with all its connections."
        )

        @OptionGroup var ledger: LedgerOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var confirmation: ConfirmationOptions
        @Argument(help: "The account's user_id, or its e-mail address.") var account: String

        func run() async throws {
            try await ledger.withLedger { ledger in
                let account = try await ledger.account(account)
                let live = try await ledger.store.liveCount(of: .account(account.id)).connections
                try Question.confirm(
                    "Delete the account \(account.id) (\(account.email.plain)) and cut \(live.counted("connection"))?",
                    isAnswered: confirmation.yes
                )
                guard let cut = try await ledger.store.deleteAccount(account.id, by: ledger.actor, now: ledger.now)
                else {
                    throw Complaint("the account \(account.id) was deleted by somebody else meanwhile")
                }
                guard !output.json else {
                    return try JSONValue.object([
                        "user_id": .text(account.id.description), "deleted": .flag(true),
                        "connections": .number(cut),
                    ]).print()
                }
                print("Deleted the account \(account.id), and cut \(count(Int(cut), "connection")).")
            }
        }
    }
}

extension Ledger {
    /// The account that an argument means: by its identifier, or by its address, wherever it signs in.
    ///
    /// - Parameter argument: a user_id, or an e-mail address.
    /// - Returns: the account.
    /// - Throws: a `Complaint` when there is none, or when several have the address.
    func account(_ argument: String) async throws -> Account {
        guard argument.contains("@") else {
            let found = try await store.account(try AccountID(argument: argument, list: "latchkey account list"))
            return try existing(found, argument)
        }
        do {
            return try existing(try await store.account(email: argument), argument)
        } catch let ambiguous as AmbiguousAddress {
            throw Complaint(ambiguous.description)
        }
    }

    private func existing(_ account: Account?, _ argument: String) throws(Complaint) -> Account {
        guard let account else {
            throw Complaint("there is no account '\(argument)': 'latchkey account list' shows those that there are")
        }
        return account
    }

    fileprivate func change(
        _ argument: String,
        _ change: Store.AccountChange,
        ifTaken email: String = ""
    ) async throws -> Account {
        switch try await store.change(try await account(argument).id, change, by: actor, now: now) {
        case .changed(let account): return account
        case .unknownAccount: throw Complaint("the account \(argument) was deleted by somebody else meanwhile")
        case .emailIsTaken: throw Complaint("another account has the e-mail \(email) already")
        case .passwordIsKeptElsewhere:
            throw Complaint("the account \(argument) signs in at the login endpoint: change its password there")
        }
    }
}
