/// Forms and queries (RFC 6749 §3.1, §3.2 and appendix B).
import OAuth
import Testing

@Suite struct `RFC 6749 appendix B: forms` {
    @Test func `§B: the example of the appendix is read back`() throws {
        let form = try Form("value=+%25%26%2B%C2%A3%E2%82%AC")
        #expect(form["value"] == " %&+£€")
    }

    @Test func `§4.1.1: the example of an authorization request is read`() throws {
        let form = try Form(
            "response_type=code&client_id=s6BhdRkqt3&state=xyz&redirect_uri=https%3A%2F%2Fclient%2Eexample%2Ecom%2Fcb"
        )
        #expect(form["response_type"] == "code")
        #expect(form["client_id"] == "s6BhdRkqt3")
        #expect(form["state"] == "xyz")
        #expect(form["redirect_uri"] == "https://client.example.com/cb")
    }

    @Test func `§B: whatever is encoded is read back, byte for byte`() throws {
        var random = SeededGenerator(seed: 6749)
        for _ in 0..<500 {
            let sent = (0..<Int.random(in: 0...20, using: &random)).map { index in
                (name: "\(index)" + random.text(upTo: 8), value: random.text(upTo: 30))
            }
            let form = try Form.sent(sent)
            #expect(form.repeated.isEmpty)
            for (name, value) in sent {
                #expect(form[name].map { Array($0.utf8) } == (value.isEmpty ? nil : Array(value.utf8)))
                #expect(form.names(name))
            }
            let again = try Form(form.encoded)
            #expect(again.encoded == form.encoded)
            for (name, _) in sent { #expect(again[name] == form[name]) }
        }
    }

    @Test func `§3.1: an empty value is an omitted one`() throws {
        let form = try Form("scope=&state&nonce=1")
        #expect(form["scope"] == nil)
        #expect(form["state"] == nil)
        #expect(form.all("scope").isEmpty)
        #expect(form["nonce"] == "1")
        #expect(refusal { try form.required("scope") } == .invalidRequest)
    }

    @Test func `§B: only the first equals sign separates, and empty pairs are nothing`() throws {
        let form = try Form("&&a=b=c&&d&")
        #expect(form["a"] == "b=c")
        #expect(form["d"] == nil)
        #expect(form.repeated.isEmpty)
    }

    @Test(arguments: ["a=1&a=2", "a=1&a=1", "a=&a=1", "a&a", "%61=1&a=2", "a=1&b=2&a=3&a=4"])
    func `§3.1: a parameter that was sent twice has no value and is refused`(_ query: String) throws {
        let form = try Form(query)
        #expect(form["a"] == nil)
        #expect(form.names("a"))
        #expect(form.repeated == ["a"])
        #expect(refusal { try form.refuseRepeated() } == .invalidRequest)
        #expect(refusal { try form.required("a") } == .invalidRequest)
    }

    @Test func `RFC 8707 §2: resource alone may be sent more than once`() throws {
        let form = try Form("resource=https%3A%2F%2Fa&resource=&resource=https%3A%2F%2Fb&resource=https%3A%2F%2Fa")
        #expect(form.all("resource") == ["https://a", "https://b"])
        #expect(refusal { try form.refuseRepeated() } == nil)
    }

    @Test func `RFC 8707 §2: as many resources are taken as a token has room for`() throws {
        let path = String(repeating: "a", count: 81)
        let most = (10..<30).map { (name: "resource", value: "https://\($0).example/\(path)") }
        #expect(try TokenWishes(Form(pairs: most)).resources.count == 20)
        #expect(refusal { try TokenWishes(Form(pairs: most + [("resource", "a:b")])) } == .invalidTarget)
    }

    @Test func `§3.2: what query and body both name is repeated`() throws {
        let merged = try Form("client_id=a&state=x").merging(Form(["state": "x", "scope": "read"]))
        #expect(merged.repeated == ["state"])
        #expect(merged["client_id"] == "a")
        #expect(merged["scope"] == "read")
    }

    @Test(arguments: ["a=%", "a=%4", "a=%zz", "a=b%2", "a=%%41", "a=%G0", "%=a", "%0=a", "a=1&b=%+1"])
    func `§B: bad percent-encoding is refused`(_ query: String) {
        #expect(refusal { try Form(query) } == .invalidRequest)
    }

    @Test(arguments: [
        "%C3", "%C3%28", "%FF", "%80", "%C0%AF", "%E0%80%AF", "%ED%A0%80", "%F4%90%80%80", "%F8%88%80%80%80",
    ])
    func `§B: bytes that are not UTF-8 are refused`(_ value: String) {
        #expect(refusal { try Form("a=" + value) } == .invalidRequest)
        #expect(refusal { try Form(value + "=a") } == .invalidRequest)
    }

    @Test func `§B: raw bytes that are not UTF-8 are refused`() {
        #expect(refusal { try Form([0x61, 0x3D, 0xC3, 0x28]) } == .invalidRequest)
    }

    @Test func `§B: a NUL is a character like others`() throws {
        #expect(try Form("a=x%00y&b%00=1")["a"] == "x\0y")
    }

    @Test func `A24: there is a limit to the number of parameters`() throws {
        let names = (0...Form.parameterLimit).map { "p\($0)=1" }
        #expect(refusal { try Form(names.dropLast().joined(separator: "&")) } == nil)
        #expect(refusal { try Form(names.joined(separator: "&")) } == .invalidRequest)
    }

    @Test func `§5.2: a refusal does not carry a long name back`() throws {
        let name = String(repeating: "n", count: 5000)
        let form = try Form("\(name)=1&\(name)=2")
        let error = try #require(throws: OAuthError.self) { try form.refuseRepeated() }
        #expect(error.description.count < 100)
    }

    @Test func `O01: a refusal does not carry on a secret that stands in the place of a name`() throws {
        let secret = "lks_" + String(repeating: "s", count: 43)
        let form = try Form("\(secret)&\(secret)")
        let error = try #require(throws: OAuthError.self) { try form.refuseRepeated() }
        #expect(error.description == "the parameter '(a client secret)' was sent more than once")
    }
}
