import ArgumentParser
import Foundation
import OAuth
import OAuthServer

/// Where a new password comes from: never from an argument, which every process on the machine can see.
struct PasswordOptions: ParsableArguments {
    @Flag(help: "Read the password from the first line of standard input.")
    var passwordStdin = false

    func read() throws(Complaint) -> NewPassword {
        guard !passwordStdin else { return try NewPassword(try Self.firstLine()) }
        guard Question.canBeAsked else {
            throw Complaint(
                "there is no terminal to ask for the password: give it on standard input, with --password-stdin"
            )
        }
        let first = try NewPassword(Question.hidden("Password: ") ?? "")
        guard Question.hidden("Once more: ") == first.secret.reveal() else {
            throw Complaint("the two passwords are not the same: try again")
        }
        return first
    }

    /// The first line without its newline; nothing else is trimmed, for a space may be part of a password.
    private static func firstLine() throws(Complaint) -> String {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while bytes.count <= PasswordRule.maximumLength + 1, Glibc.read(STDIN_FILENO, &byte, 1) == 1, byte != 0x0A {
            bytes.append(byte)
        }
        if bytes.last == 0x0D { bytes.removeLast() }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Complaint("the password is not UTF-8")
        }
        return text
    }
}

/// A password that may be used: long enough, and not among those that everybody tries first.
struct NewPassword: Sendable {
    let secret: Secret

    init(_ text: String) throws(Complaint) {
        if let problem = PasswordRule.problem(with: text) { throw Complaint(problem) }
        secret = Secret(text)
    }

    func hashed() async throws -> String {
        let hasher = PasswordHasher(threads: 1)
        do {
            let hash = try await hasher.hash(secret)
            await hasher.shutDown()
            return hash
        } catch {
            await hasher.shutDown()
            throw Complaint("the password cannot be hashed: \(error)")
        }
    }
}

/// An address that a person may sign in with: plausible, not proven.
struct EmailAddress: Sendable {
    let text: String

    init(_ text: String) throws(Complaint) {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        let isPlain = text.unicodeScalars.allSatisfy {
            $0.properties.generalCategory != .control && !$0.properties.isWhitespace
        }
        guard text.utf8.count <= 254, isPlain, parts.count == 2, parts.allSatisfy({ !$0.isEmpty }),
            !parts[1].hasPrefix("."), !parts[1].hasSuffix("."), !parts[1].contains("..")
        else { throw Complaint("'\(text.plain.prefix(100))' is not an e-mail address") }
        self.text = text
    }
}

/// What to call a person: one line.
struct AccountName: Sendable {
    let text: String

    init(_ text: String) throws(Complaint) {
        guard (1...200).contains(text.count),
            !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
        else { throw Complaint("a name must be 1 to 200 characters in one line") }
        self.text = text
    }
}
