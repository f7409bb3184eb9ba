/// The passwords of eight characters and more that everybody tries first (NIST SP 800-63B §3.1.1.2).
///
/// A list of the commonest, and the ways in which people make another one of them: an ending of digits, look-alikes for
/// letters, a few characters over and over, keys next to each other.
enum CommonPasswords {
    static func contain(_ password: String) -> Bool {
        let text = password.lowercased()
        return all.contains(text) || isRepetition(text) || isRun(text) || isWordWithEnding(text)
    }

    /// One to four characters over and over: `aaaaaaaa`, `abcabcabc`.
    private static func isRepetition(_ text: String) -> Bool {
        let characters = Array(text)
        return (1...4).contains { unit in
            characters.count > unit
                && (unit..<characters.count).allSatisfy { characters[$0] == characters[$0 - unit] }
        }
    }

    /// Keys or letters next to each other, in either direction: `qwertzui`, `87654321`.
    private static func isRun(_ text: String) -> Bool {
        let backwards = String(text.reversed())
        return rows.contains { $0.contains(text) || $0.contains(backwards) }
    }

    /// A common word with look-alikes for its letters and up to four digits and signs behind it: `P@ssw0rd2026`.
    private static func isWordWithEnding(_ text: String) -> Bool {
        let ending = text.reversed().prefix { !$0.isLetter }.count
        guard ending <= 4 else { return false }
        return words.contains(String(text.dropLast(ending).map { lookAlikes[$0] ?? $0 }))
    }

    private static let lookAlikes: [Character: Character] = [
        "@": "a", "0": "o", "1": "i", "3": "e", "$": "s", "5": "s",
    ]

    private static let rows = [
        "012345678901234567890", "abcdefghijklmnopqrstuvwxyz", "qwertyuiop[]", "qwertzuiopü+", "azertyuiop",
        "asdfghjkl;'", "asdfghjklöä#", "zxcvbnm,./", "yxcvbnm,.-", "1qaz2wsx3edc4rfv5tgb", "1q2w3e4r5t6y7u8i9o0p",
    ]

    /// The words in the list below, without what stands behind them.
    private static let words: Set<String> = Set(
        all.map { String($0.reversed().drop { !$0.isLetter }.reversed()) }.filter { $0.count >= 5 }
    )

    private static let all: Set<String> = [
        "00000000", "11111111", "11223344", "12121212", "123123123", "123321123", "1234567890", "12345678",
        "123456789", "1234567891", "12345678910", "1234qwer", "123456abc", "12341234", "123abc123", "147258369",
        "1q2w3e4r", "1q2w3e4r5t", "1qaz2wsx", "1qazxsw2", "22222222", "55555555", "66666666", "77777777", "87654321",
        "88888888", "98765432", "987654321", "9876543210", "99999999", "a1234567", "a12345678", "a123456789",
        "aa123456", "aaaaaaaa", "abc12345", "abc123456", "abcd1234", "abcdefgh", "abcd12345", "access14", "admin123",
        "administrator", "admin1234", "asdfasdf", "asdfghjk", "asdfghjkl", "asdf1234", "babygirl1", "baseball",
        "baseball1", "basketball", "blink182", "butterfly", "changeme", "chocolate", "chocolate1", "computer",
        "corvette", "december", "dragon123", "einstein", "elephant", "facebook", "football", "football1", "hello123",
        "iloveyou", "iloveyou1", "iloveyou2", "internet", "jennifer", "jordan23", "killer123", "letmein1",
        "letmein123", "liverpool", "liverpool1", "lovelove", "master123", "maverick", "mercedes", "michael1",
        "michelle", "midnight", "monkey123", "mustang1", "november", "p@ssw0rd", "p@ssword", "pa$$word", "pass1234",
        "passw0rd", "password", "password!", "password0", "password01", "password1", "password1!", "password12",
        "password123", "password1234", "password2", "pokemon1", "princess", "princess1", "q1w2e3r4", "q1w2e3r4t5",
        "qazwsxedc", "qwer1234", "qwerty12", "qwerty123", "qwerty1234", "qwerty12345", "qwertyui", "qwertyuiop",
        "samantha", "sample123", "scorpion", "september", "shadow123", "snowball", "starwars", "sunshine", "sunshine1",
        "superman", "superman1", "target123", "testtest", "test1234", "test12345", "thunder1", "trustno1", "victoria",
        "welcome1", "welcome123", "whatever", "whatever1", "zaq12wsx", "zaq1zaq1", "zxcvbnm1", "zxcvbnm123",
        "abcd123456", "latchkey", "latchkey1", "administrator1", "letmein!", "welcome!", "qwerty!@#", "password@123",
        "password@1", "admin@123", "12345678a", "123456789a", "1234567a", "q1234567", "superuser", "security",
    ]
}
