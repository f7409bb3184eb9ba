/// Token requests whose body is JSON.
import OAuth
import Testing

@Suite struct `a JSON body` {
    private func form(_ json: String) throws -> Form { try Form(json: Array(json.utf8), reading: ["a", "resource"]) }

    @Test func `RFC 8259 §7: every escape means its character`() throws {
        #expect(try form(#"{"a":"\"\\\/\b\f\n\r\t"}"#)["a"] == "\"\\/\u{8}\u{C}\n\r\t")
        #expect(try form(#"{"a":"\u00e9\u20AC\uD83D\ude00"}"#)["a"] == "é€😀")
        #expect(try form(#"{"\u0061":"é€😀"}"#)["a"] == "é€😀")
    }

    @Test func `a flat object of texts is a form`() throws {
        let form = try form(" \t\r\n{ \"code\" : \"a+b/c=&\" ,\n\"empty\":\"\" } ")
        #expect(form["code"] == "a+b/c=&")
        #expect(form["empty"] == nil)
        #expect(form.names("empty"))
        #expect(try self.form("{}").pairs.isEmpty)
    }

    @Test(arguments: [
        "", " ", "null", "[]", "\"a\"", "{", "}", "{}x", "{\"a\"}", "{\"a\":}", "{\"a\":1}", "{\"a\":true}",
        "{\"a\":nul}", "{\"b\":nothing}", "{\"b\":1x}", "{\"b\":[1,]}", "{\"b\":[[1}",
        "{\"a\":[\"b\"]}", "{\"a\":{\"b\":\"c\"}}", "{\"a\":\"b\",}", "{,\"a\":\"b\"}", "{\"a\":\"b\" \"c\":\"d\"}",
        "{a:\"b\"}",
        "{'a':'b'}", "{\"a\":\"b}", "{\"a\":\"b\\\"}", "{\"a\":\"\\x\"}", "{\"a\":\"\\u12\"}", "{\"a\":\"\\u+123\"}",
        "{\"a\":\"\\ud800\"}", "{\"a\":\"\\ud800\\u0041\"}", "{\"a\":\"\\udc00\"}", "{\"a\":\"b\nc\"}",
        "{\"a\":\"b\",\"a\":\"c\"}",
        "{\"a\":null,\"a\":\"b\"}", "{\"a\":\"b\",\"a\":null}", "{\"b\":1,\"b\":2}",
        "{\"a\":\"b\",\"\\u0061\":\"c\"}", "{\"resource\":\"b\",\"resource\":\"c\"}", "\u{FEFF}{}", "{\"a\":\"b\"}{}",
    ])
    func `RFC 8259 §7: what is no flat object of texts is refused`(_ json: String) {
        #expect(refusal { try form(json) } == .invalidRequest, "\(json)")
    }

    @Test func `RFC 6749 §3.2: null is as if omitted, and what nobody reads is ignored, whatever it is`() throws {
        let json = #"{"a":"x","resource":null,"n":-1.5e3,"t":true,"l":[1,"x",{}],"o":{"a":"y"},"z":null,"s":"y"}"#
        let form = try form(json)
        #expect(form == Form(["a": "x", "s": "y"]))
        #expect(!form.names("resource"))
    }

    @Test func `the token endpoint's list has whatever a profile can speak of`() {
        let names =
            TokenRequestRules.Omittable.allCases.map(\.rawValue) + TokenRequestRules.Demanded.allCases.map(\.rawValue)
        #expect(TokenRequest.parameterNames.isSuperset(of: names))
    }

    @Test func `bytes that are not UTF-8, and too many members, are refused`() {
        #expect(
            refusal { try Form(json: [0x7B, 0x22, 0xFF, 0x22, 0x3A, 0x22, 0x22, 0x7D], reading: []) } == .invalidRequest
        )
        let many = (0...Form.parameterLimit).map { "\"a\($0)\":\"b\"" }.joined(separator: ",")
        #expect(refusal { try form("{\(many)}") } == .invalidRequest)
        let nulls = (0...Form.parameterLimit).map { "\"b\($0)\":null" }.joined(separator: ",")
        #expect(refusal { try form("{\(nulls)}") } == .invalidRequest)
    }
}
