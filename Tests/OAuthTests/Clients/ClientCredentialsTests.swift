/// How a request says which client it comes from (RFC 6749 §2.3.1, RFC 7617).
import OAuth
import Testing

@Suite struct `RFC 6749 §2.3.1: client credentials` {
    /// RFC 7617 §2: user, colon and password in base64.
    private func basic(_ text: String, scheme: String = "Basic") -> String {
        basic(Array(text.utf8), scheme: scheme)
    }

    private func basic(_ bytes: [UInt8], scheme: String = "Basic") -> String {
        let text = Base64URL.encode(bytes).replacing("-", with: "+").replacing("_", with: "/")
        return scheme + " " + text + String(repeating: "=", count: (4 - text.count % 4) % 4)
    }

    /// Whether a confidential client with `secret` is let in by this header.
    private func isLetIn(_ header: String, secret: String, id: String = "s6BhdRkqt3") throws -> Bool {
        let stored = ClientSecret(digest: SecretDigest(of: secret), isForTests: false)
        let client = try Client.example(secrets: [stored]) { $0.id = id }
        let credentials = try ClientCredentials(authorization: header, form: Form())
        #expect(credentials.isBasic)
        #expect(credentials.id.text == id)
        return refusal { try client.authenticate(credentials, acceptsTestSecrets: false) } == nil
    }

    @Test func `§2.3.1: the example of a Basic header is read`() throws {
        #expect(try isLetIn("Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW", secret: "gX1fBat3bV"))
        #expect(try !isLetIn("Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW", secret: "gX1fBat3bv"))
    }

    @Test func `§2.3.1: the example of a body is read`() throws {
        let form = try Form(
            "grant_type=refresh_token&refresh_token=tGzv3JOkF0XG5Qx2TlKWIA&client_id=s6BhdRkqt3"
                + "&client_secret=7Fjfp0ZBr1KtDRbnfVdmIw"
        )
        let credentials = try ClientCredentials(authorization: nil, form: form)
        #expect(credentials.id.text == "s6BhdRkqt3")
        #expect(!credentials.isBasic)
        #expect(refusal { try Client.example().authenticate(credentials, acceptsTestSecrets: false) } == nil)
    }

    @Test(arguments: ["basic", "BASIC", "bAsIc", "Basic ", "Basic  "])
    func `RFC 9110 §11.1: the scheme has no case, and may be followed by several spaces`(_ scheme: String) throws {
        #expect(try isLetIn(basic("s6BhdRkqt3:gX1fBat3bV", scheme: scheme), secret: "gX1fBat3bV"))
    }

    @Test(arguments: ["a:b", ":", "a%3Ab", "a+b", "100%", "%zz", "a b", "ü€😀", "%2B", "+", "a=b&c", "p%20q"])
    func `T04: a raw secret and a percent-encoded one are both understood`(_ secret: String) throws {
        #expect(try isLetIn(basic("s6BhdRkqt3:" + secret), secret: secret))
        #expect(try isLetIn(basic("s6BhdRkqt3:" + PercentEncoding.encode(secret)), secret: secret))
        let encoded = PercentEncoding.encode(secret).replacing("%20", with: "+")
        #expect(try isLetIn(basic("s6BhdRkqt3:" + encoded), secret: secret))
        #expect(try !isLetIn(basic("s6BhdRkqt3:" + secret + "x"), secret: secret))
    }

    @Test func `T04: the id is percent-decoded, and padding may be missing`() throws {
        #expect(try isLetIn(basic("a%2Db%7ec:gX1fBat3bV"), secret: "gX1fBat3bV", id: "a-b~c"))
        let header = basic("s6BhdRkqt3:gX1fBat3bV1").replacing("=", with: "")
        #expect(try isLetIn(header, secret: "gX1fBat3bV1"))
    }

    @Test func `T04: the same client may stand in header and body, without a second secret`() throws {
        let header = basic("s6BhdRkqt3:gX1fBat3bV")
        let credentials = try ClientCredentials(authorization: header, form: Form(["client_id": "s6BhdRkqt3"]))
        #expect(credentials.id.text == "s6BhdRkqt3")
    }

    @Test func `T04: two methods at once are refused, even with the same secret`() {
        let header = basic("s6BhdRkqt3:gX1fBat3bV")
        for body in ["client_secret=gX1fBat3bV", "client_id=s6BhdRkqt3&client_secret=gX1fBat3bV", "client_secret=x"] {
            #expect(refusal { try ClientCredentials(authorization: header, form: Form(body)) } == .invalidRequest)
        }
    }

    @Test(arguments: ["other", "S6BHDRKQT3", "s6BhdRkqt3 ", "s6BhdRkqt"])
    func `T04: two different clients are refused`(_ other: String) {
        let header = basic("s6BhdRkqt3:gX1fBat3bV")
        let form = Form(["client_id": other])
        #expect(refusal { try ClientCredentials(authorization: header, form: form) } == .invalidRequest)
    }

    @Test(arguments: [
        "client_id=a&client_id=a&client_secret=x", "client_id=a&client_secret=x&client_secret=x",
        "client_id=a&client_secret=x&client_secret=y", "client_id=a&client_id=b",
    ])
    func `T03: an id or a secret that was sent twice is refused`(_ body: String) {
        #expect(refusal { try ClientCredentials(authorization: nil, form: Form(body)) } == .invalidRequest)
        #expect(refusal { try ClientCredentials(authorization: basic("a:x"), form: Form(body)) } == .invalidRequest)
    }

    @Test func `T05: no credentials at all are refused`() {
        #expect(refusal { try ClientCredentials(authorization: nil, form: Form()) } == .invalidClient)
        let form = Form(["client_secret": Example.secret])
        #expect(refusal { try ClientCredentials(authorization: nil, form: form) } == .invalidClient)
    }

    @Test(arguments: ["a b", "ü", "a/b", "a%b", "a:b", "a\0"])
    func `§2.2: an id that no client can have is an unknown one`(_ id: String) {
        #expect(refusal { try ClientCredentials(authorization: nil, form: Form(["client_id": id])) } == .invalidClient)
    }

    @Test(arguments: [
        "", "Basic", "Basic ", "Basic !!!", "Basic czZC aGRS", "Bearer czZCaGRSa3F0MzpnWDFmQmF0M2JW", "Basic c",
        "Basic eA==",
        "czZCaGRSa3F0MzpnWDFmQmF0M2JW", "Basic,czZCaGRSa3F0MzpnWDFmQmF0M2JW", "Basic OnNlY3JldA==", "Basic\tczpz",
        "Basic czZCaGRSa3F0MzpnWDFmQmF0M2J=V",
    ])
    func `T04: a header that is not Basic with a client is refused`(_ header: String) {
        #expect(refusal { try ClientCredentials(authorization: header, form: Form()) } == .invalidClient)
    }

    @Test func `T04: bytes that are not UTF-8 let nobody in`() throws {
        let bytes = Array("s6BhdRkqt3:".utf8) + [0xC3, 0x28]
        #expect(try !isLetIn(basic(bytes), secret: "\u{FFFD}x"))
        #expect(
            refusal { try ClientCredentials(authorization: basic([0xFF, 0x3A, 0x61]), form: Form()) } == .invalidClient
        )
    }
}
