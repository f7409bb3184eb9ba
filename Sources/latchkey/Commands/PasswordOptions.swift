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
