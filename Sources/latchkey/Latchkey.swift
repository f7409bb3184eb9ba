import ArgumentParser
import Foundation
import OAuth
import OAuthStore

/// The program: one command for each thing that an operator does.
///
/// Each says its `commandName`: to make one of a type's name is slow, and every run names all commands.
@main
struct Latchkey: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "latchkey",
        abstract: "Let partners connect your customers' accounts, by OAuth 2.0.",
        discussion: """
            Start with 'latchkey demo', which shows everything on one machine. Settings come from flags, then from the \
            environment (LATCHKEY_…), then from latchkey.yaml; 'latchkey settings' lists them all.
            """,
        version: "0.1.0",
        subcommands: [
            DemoCommand.self, ServeCommand.self, ClientCommand.self, AccountCommand.self, ConnectionCommand.self,
            PartnerCommand.self, APIKeyCommand.self, KeyCommand.self, OperatorCommand.self, AuditCommand.self,
            RefusalCommand.self, WebhookCommand.self, MigrateCommand.self, BackupCommand.self, RestoreCommand.self,
            SettingsCommand.self,
            SweepCommand.self,
        ]
    )

    /// Runs the command that was asked for, and ends with status 0, or with 1 and one line on standard error.
    static func main() async {
        do {
            try checkArguments()
            var command = try await asyncParseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            // How a server ends has nothing to do with who read its greeting.
            guard !(command is ServeCommand), !(command is DemoCommand) else { return }
            try PrintedOutput.finish()
        } catch {
            leave(because: error)
        }
    }

    /// Refuses arguments that are not UTF-8, which would name another file, and people would read other names; and empty ones,
    /// which name nothing.
    private static func checkArguments() throws(Complaint) {
        let words = CommandLine.arguments.dropFirst()
        if let place = words.firstIndex(where: \.hasReplacedBytes) {
            throw Complaint("argument \(place) is not UTF-8: write it in that encoding, and give a file a name in it")
        }
        guard let place = words.firstIndex(where: { $0.isEmpty || $0.isOptionLeftEmpty }) else { return }
        // What stands before it may be a secret, unless it is an option.
        let before = words[place].isEmpty ? words[..<place].last ?? "" : String(words[place].dropLast())
        let position = before.hasPrefix("--") && !before.contains("=") ? ", behind \(before)," : ""
        throw Complaint("argument \(place)\(position) is empty, as where a variable is not set: give it a value")
    }

    private static func leave(because error: any Error) -> Never {
        let words = CommandLine.arguments.dropFirst()
        let isAnswer = exitCode(for: error) == .success
        let unknown = isAnswer || isFromParser(error) ? UnknownCommand(words, below: Latchkey.self) : nil
        // Help and the version are errors to the parser, but not to people; there is no help for a command that there is not.
        guard !isAnswer || unknown != nil else { answer(with: fullMessage(for: error)) }
        let sentence =
            switch error {
            case _ where unknown != nil: unknown?.description ?? ""
            case let error as Complaint: error.description
            case let error as SQLError: error.description
            case let error as RegistrationError: error.withOption
            case let error as any CustomStringConvertible & Error where !isFromParser(error): error.description
            default: parserSentence(error)
            }
        let line = sentence.split { $0.isNewline }.map { $0.trimmingPrefix(while: \.isWhitespace) }.joined(
            separator: " "
        )
        say("latchkey: " + line.plain)
        Foundation.exit(1)
    }

    /// Prints what was asked of the parser itself: help, the version, a shell's completions.
    private static func answer(with text: String) -> Never {
        if !text.isEmpty { print(text) }
        do throws(Complaint) {
            try PrintedOutput.finish()
        } catch {
            leave(because: error)
        }
        Foundation.exit(0)
    }

    /// The parser's own sentence, and where to read more, on one line.
    private static func parserSentence(_ error: any Error) -> String {
        let usage = fullMessage(for: error).split { $0.isNewline }.last.map(String.init) ?? ""
        let pointer = usage.contains("--help'") ? " " + usage.trimmingPrefix { $0 == " " } : ""
        let message = message(for: error)
        let isEnded = message.hasSuffix("?") || message.hasSuffix(".") || pointer.isEmpty
        return message + (isEnded ? "" : ".") + pointer
    }

    private static func isFromParser(_ error: any Error) -> Bool {
        exitCode(for: error) == .validationFailure
    }
}

extension String {
    /// Whether this is an option with `=` and nothing behind it (`--actor=`).
    fileprivate var isOptionLeftEmpty: Bool { hasPrefix("--") && hasSuffix("=") && !dropLast().contains("=") }
}
