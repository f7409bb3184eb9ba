/// Proof Key for Code Exchange (RFC 7636).
import OAuth
import Testing

@Suite struct `RFC 7636: proof keys` {
    @Test func `§4.6: the verifier of appendix B fits its challenge`() throws {
        #expect(ProofKey(verifier: Example.verifier).challenge == Example.challenge)
        #expect(refusal { try ProofKey(stored: Example.challenge).check(Example.verifier) } == nil)
    }

    @Test func `§4.3: the challenge of a request is kept`() throws {
        let form = Form(["code_challenge": Example.challenge, "code_challenge_method": "S256"])
        #expect(try ProofKey(form, rule: .required)?.challenge == Example.challenge)
        #expect(try ProofKey(form, rule: .optional)?.challenge == Example.challenge)
    }

    @Test func `A08: a request without a challenge is refused, unless a profile made it optional`() throws {
        #expect(refusal { try ProofKey(Form(), rule: .required) } == .invalidRequest)
        #expect(try ProofKey(Form(), rule: .optional) == nil)
    }

    @Test(arguments: ["plain", "S512", "s256", "S256 ", "sha256", "none", ""])
    func `A08: every method but S256 is refused`(_ method: String) {
        let form = Form(["code_challenge": Example.challenge, "code_challenge_method": method])
        #expect(refusal { try ProofKey(form, rule: .required) } == .invalidRequest)
        #expect(refusal { try ProofKey(form, rule: .optional) } == .invalidRequest)
    }

    @Test func `A08: a challenge without a method would be plain, and a method alone is a mistake`() {
        #expect(
            refusal { try ProofKey(Form(["code_challenge": Example.challenge]), rule: .optional) } == .invalidRequest
        )
        #expect(refusal { try ProofKey(Form(["code_challenge_method": "S256"]), rule: .optional) } == .invalidRequest)
    }

    @Test(arguments: [
        String(repeating: "a", count: 42), String(repeating: "a", count: 129), String(repeating: "a", count: 42) + "+",
        String(repeating: "a", count: 42) + "/", String(repeating: "a", count: 42) + "=",
        String(repeating: "a", count: 42) + " ", String(repeating: "a", count: 42) + "ü",
    ])
    func `A09: a challenge of another form is refused`(_ challenge: String) {
        let form = Form(["code_challenge": challenge, "code_challenge_method": "S256"])
        #expect(refusal { try ProofKey(form, rule: .required) } == .invalidRequest)
    }

    @Test(arguments: [43, 128])
    func `§4.2: the shortest and the longest challenge are read`(_ count: Int) throws {
        let challenge = String(repeating: "~", count: count)
        let form = Form(["code_challenge": challenge, "code_challenge_method": "S256"])
        #expect(try ProofKey(form, rule: .required)?.challenge == challenge)
    }

    @Test func `T09: no verifier is a wrong one`() {
        #expect(refusal { try ProofKey(stored: Example.challenge).check(nil) } == .invalidGrant)
        #expect(refusal { try ProofKey(stored: Example.challenge).check("") } == .invalidGrant)
    }

    @Test func `T09: the challenge itself is not a verifier`() {
        #expect(refusal { try ProofKey(stored: Example.challenge).check(Example.challenge) } == .invalidGrant)
        #expect(refusal { try ProofKey(stored: Example.verifier).check(Example.verifier) } == .invalidGrant)
    }

    @Test func `§4.6: any changed character of a verifier is refused`() {
        let key = ProofKey(stored: Example.challenge)
        let characters = Array(Example.verifier)
        for index in characters.indices {
            var changed = characters
            changed[index] = changed[index] == "a" ? "b" : "a"
            #expect(refusal { try key.check(String(changed)) } == .invalidGrant)
        }
        #expect(refusal { try key.check(Example.verifier + "a") } == .invalidGrant)
    }

    @Test(arguments: [
        "short", String(repeating: "a", count: 42), String(repeating: "a", count: 129),
        String(repeating: "a", count: 42) + "=", String(repeating: "a", count: 50) + " ",
    ])
    func `§4.1: a malformed verifier is refused even where its hash fits`(_ verifier: String) {
        #expect(refusal { try ProofKey(verifier: verifier).check(verifier) } == .invalidGrant)
    }

    @Test(arguments: [43, 128])
    func `§4.1: the shortest and the longest verifier fit`(_ count: Int) {
        let verifier = String(repeating: "-", count: count)
        #expect(refusal { try ProofKey(verifier: verifier).check(verifier) } == nil)
    }
}
