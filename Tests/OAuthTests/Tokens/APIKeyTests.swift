import OAuth
import Testing

/// API keys as values (ADR 0009).
@Suite struct APIKeyTests {
    @Test func `a key is lkk_ and 43 characters, and nothing else is one`() {
        let random = [UInt8](0..<32)
        let key = APIKeyText.make(random: random).reveal()
        #expect(key == "lkk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8")
        #expect(APIKeyText.isWellFormed(key))
        for other in [
            "", "lkk_", String(key.dropLast()), key + "A", "lks_" + key.dropFirst(4), " " + key, key + "\n",
            // Stray bits at the end would be a second spelling of the same bytes.
            String(key.dropLast()) + "9",
        ] { #expect(!APIKeyText.isWellFormed(other), "\(other)") }
    }

    @Test(arguments: ["", "   ", "two\nlines", String(repeating: "x", count: 201)])
    func `a key's name is 1 to 200 characters in one line`(name: String) {
        #expect(throws: RegistrationError.self) { try NewAPIKey(name: name) }
    }

    @Test func `scopes and audiences of a key are checked as those of a client`() throws {
        #expect(throws: RegistrationError.self) { try NewAPIKey(name: "a", scopes: ["two words"]) }
        for audience in ["", "nope", "two words", "https://a.example/#b", "https://bücher.example/"] {
            #expect(throws: RegistrationError.self, "\(audience)") { try NewAPIKey(name: "a", audiences: [audience]) }
        }
        let (one, two) = ("https://a.example/", "urn:example:b")
        #expect(try NewAPIKey(name: "a", audiences: [one, two, one]).audiences == [one, two])
        #expect(throws: RegistrationError.self) {
            try NewAPIKey(name: "a", audiences: Array(repeating: "https://a.example", count: 11))
        }
        #expect(try NewAPIKey(name: "a", scopes: ["b", "b"]).scope.names == ["b"])
    }
}
