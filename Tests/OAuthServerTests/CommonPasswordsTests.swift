/// Which new passwords are refused because everybody tries them first.
import Testing

@testable import OAuthServer

@Suite struct `Common passwords` {
    @Test(arguments: [
        "password", "PASSWORD", "Password1", "P@ssw0rd2026", "pa$$word", "dragon2024", "letmein99", "qwertyuiop",
        "lkjhgfdsa", "87654321", "abcdefgh", "aaaaaaaaaaaa", "abcabcabc", "1212121212", "1qaz2wsx3edc", "sunshine!1",
    ])
    func `L09: what everybody tries first is refused`(_ password: String) {
        #expect(PasswordRule.problem(in: password) == .common)
    }

    @Test(arguments: [
        "exactly8", "correct horse battery staple", "analytical engine", "passwords are hard", "dragon of 2024 bytes",
        "ünïcödé ☃ pässwörd", "long long long long ", "20101985", "密码密码密码密码吧",
    ])
    func `L09: what is merely simple is not`(_ password: String) {
        #expect(PasswordRule.problem(in: password) == nil)
    }

    @Test func `L09: eight characters are enough, seven and 1025 bytes are not`() {
        #expect(PasswordRule.problem(in: "seven77") == .tooShort)
        #expect(PasswordRule.problem(in: "ähnlich8") == nil)
        #expect(PasswordRule.problem(in: String(repeating: "ab cd ", count: 170) + "1234") == nil)
        #expect(PasswordRule.problem(in: String(repeating: "ab cd ", count: 170) + "12345") == .tooLong)
        #expect(PasswordRule.problem(in: "") == .empty)
    }
}
