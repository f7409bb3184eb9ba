/// What of a refused request may be kept (ASVS 16.2.5, O01): no secret, code or token.
import OAuth
import Testing

@Suite struct `Redaction of refused requests (O01)` {
    private static let random = String(repeating: "Ab3_", count: 11)

    @Test(arguments: ["lkr_", "lka_", "lkc_", "lks_", "lkk_", "whsec_", "eyJhbGciOiJFUzI1NiJ9."])
    func `nothing that looks like a token is shown, whatever parameter it came in`(_ prefix: String) throws {
        let secret = prefix + Self.random
        for name in ["redirect_uri", "scope", "client_id", "code", "refresh_token", "client_secret", "state"] {
            for value in [secret, "https://partner.example/cb?x=\(secret)&y=1", "read \(secret) write", "x-\(secret)"] {
                let shown = try #require(Redaction.shown(name, of: Form([name: value])))
                #expect(!shown.contains("Ab3_Ab3_"), "\(name): \(shown)")
            }
        }
        #expect(!Redaction.masked("the redirect URI '\(secret)' is wrong").contains("Ab3_"))
    }

    @Test func `of a parameter that may hold a secret, kind and length are shown`() {
        #expect(Redaction.shown("code", of: Form(["code": "hunter2"])) == "7 characters")
        #expect(Redaction.shown("client_secret", of: Form(["client_secret": ""])) == "an empty value")
        #expect(
            Redaction.shown("code", of: Form(["code": "lkr_" + Self.random])) == "a refresh token, 48 characters"
        )
    }

    @Test(arguments: ["qWmT7zR4kLp9VbXcYh2NdJs6FgEa3Uu8", "wJalrXUt/EMI+K7MD%2FG~bP:fiCYEX="])
    func `a secret of no form of ours is not shown either where a word or an address belongs`(_ secret: String) throws {
        for name in ["grant_type", "code_challenge_method", "response_type", "prompt", "token_type_hint"] {
            #expect(Redaction.shown(name, of: Form([name: secret])) == "(32 characters)")
        }
        for (sent, shown) in [
            ("https://a:\(secret)@b.example:444/cb", "https://(user information)@b.example:444/cb"),
            ("https://b.example/cb?x=1&key=\(secret)", "https://b.example/cb?x=1&key=(32 characters)"),
            (secret, "(32 characters)"), (secret + "?x=://", "(38 characters)"),
            ("https://b.example/cb#\(secret)", "https://b.example/cb#(32 characters)"),
            ("https://b.example/@a?\(secret)", "https://b.example/@a?(32 characters)"),
        ] {
            let found = try #require(Redaction.shown("redirect_uri", of: Form(["redirect_uri": sent])))
            #expect(found == shown || secret.hasSuffix("=") && !found.contains(secret.prefix(8)))
            #expect(!found.contains(secret.dropLast().suffix(8)))
        }
        let urn = "urn:ietf:params:oauth:grant-type:device_code"
        #expect(Redaction.shown("grant_type", of: Form(["grant_type": urn])) == urn)
    }

    @Test(arguments: ["client_id", "scope"])
    func `where a name belongs, a long one is shown when it is known, plain words or an address`(_ name: String) {
        let known = "partner-3f9a8c1e5b7d2046a8c1e5b7d2046a8c"
        for secret in [
            "qWmT7zR4kLp9VbXcYh2NdJs6FgEa3Uu8", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "3f9a8c1e5b7d2046a8c1e5b7d2046a8c", "hunter2-is-a-chosen-secret", "abcdefghijklmnopqrstuvwxyz",
            "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",
        ] {
            #expect(Redaction.shown(name, of: Form([name: secret])) == "(\(secret.count) characters)")
            #expect(Redaction.shown(name, of: Form([name: "a \(secret)"])) != "a \(secret)")
        }
        for plain in [
            "client_abcdefgh23456789", "accounts.transactions_everything.read-only", "Calendars.Read.Shared.All.Users",
            "https://www.googleapis.com/auth/calendar.v3.events.readonly", known,
        ] {
            #expect(Redaction.shown(name, of: Form([name: plain])) { $0 == known } == plain)
        }
        #expect(Redaction.shown(name, of: Form([name: known])) == "(40 characters)")
    }

    @Test func `what is no secret is shown, and every value of what came twice`() {
        let form = Form(["redirect_uri": "https://a.example/cb?x=1", "scope": "a b", "grant_type": "password"])
        #expect(Redaction.shown("redirect_uri", of: form) == "https://a.example/cb?x=1")
        #expect(Redaction.shown("scope", of: form) == "a b")
        #expect(Redaction.shown("scope", of: Form(["scope": "a", "scope": "b"])) == "a, and b")
        #expect(Redaction.shown("grant_type", of: Form(["grant_type": ""])) == "an empty value")
        #expect(Redaction.shown("scope", of: Form(["scope": "", "scope": "b"])) == "an empty value, and b")
        #expect(Redaction.shown(nil, of: form) == nil)
    }

    @Test func `of what is missing, the names that came are shown, but no name that may itself be a secret`() {
        let form = Form(["grant_type": "authorization_code", "hunter2": "x", "client_id": "a"])
        #expect(Redaction.shown("code", of: form) == "nothing; the request has grant_type, client_id, 1 other")
        #expect(Redaction.shown("code", of: Form()) == "nothing")
    }

    @Test func `no control character is kept`() {
        #expect(
            Redaction.shown("scope", of: Form(["scope": "a\0b\u{1B}[31m\r\nc"]))
                == "a\u{FFFD}b\u{FFFD}[31m\u{FFFD}\u{FFFD}c"
        )
        // Nor what turns the direction of writing, ends a line or cannot be seen.
        #expect(Redaction.masked("a\u{202E}b\u{2028}c\u{200B}d") == "a\u{FFFD}b\u{FFFD}c\u{FFFD}d")
    }

    @Test func `nothing, marks alone and the longest text are shown as what they are`() {
        #expect(Redaction.masked("") == "")
        #expect(Redaction.shown("", of: Form(["": "hunter2"])) == "7 characters")
        #expect(Redaction.shown("redirect_uri", of: Form(["redirect_uri": "://"])) == "://")
        for address in ["https://", "https://@", "https://?", "https://#", "?", "#", "@", "https://[::1]:8080/cb"] {
            #expect(Redaction.shown("redirect_uri", of: Form(["redirect_uri": address])) != nil, "\(address)")
        }
        let longest = String(repeating: "ä", count: Redaction.lengthLimit)
        #expect(Redaction.masked(longest) == longest)
        #expect(Redaction.masked(longest + "b") == longest + "…")
    }

    @Test func `what is shown is bounded`() throws {
        let long = String(repeating: "a", count: 10_000)
        let shown = try #require(Redaction.shown("scope", of: Form(["scope": long, "scope": long])))
        #expect(shown.count <= Redaction.lengthLimit + 1)
        #expect(Redaction.masked(long).count <= Redaction.lengthLimit + 1)
    }
}
