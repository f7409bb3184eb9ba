/// The pages that a person sees: escaped, readable, in the person's language, without anything that a strict CSP forbids.

import Foundation
import Testing

@testable import OAuthServer

@Suite struct PagesTests {
    /// Texts that try to leave their place.
    ///
    /// The last ones use combining and prepended marks, which make one `Character`
    /// with a quotation mark and so slip past an escaping that works by `Character`.
    static let corpus = [
        "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "' onfocus='alert(1)",
        "\" autofocus onfocus=\"alert(1)",
        "</title><script>alert(1)</script>", "</textarea></main><svg onload=alert(1)>", "javascript:alert(1)",
        "&lt;b&gt; &amp;quot;",
        "{{words.allow}} {{{transaction}}} {brand}", "a\u{0}<b>\u{7}", "\u{202E}<i>gnp", "<!--", "]]><x>", "`<b`",
        "x\"\u{301} onfocus=alert(1) y", "x'\u{338} onfocus=alert(1) y", "x\u{600}\" onfocus=alert(1) y", "<\u{200D}b>",
        "\"\u{FE0F}\u{20E3}><script>alert(1)</script>", "<\u{338}script>", "\u{110BD}<script>alert(1)</script>",
    ]

    /// Every page, with the same text in every field that other people write.
    static func everyPage(_ text: String) -> [(name: String, page: any Page)] {
        let other = ErrorPage.Problem.other(title: text, what: text, next: text)
        let consent = ConsentPage(
            action: "/login",
            transaction: text,
            clientName: text,
            isVerified: false,
            redirectHost: text,
            accountName: text,
            accountEmail: "\(text)@",
            scopes: [text, text]
        )
        var known = consent
        (known.isVerified, known.redirectHost, known.scopes, known.lifetime) = (true, nil, [], .once(.seconds(86_400)))
        let accounts = [SelectAccountPage.Account(id: text, name: text, email: "\(text)@")]
        let kinds = ErrorPage.Problem.Kind.allCases.map { kind in
            ("error_\(kind)", ErrorPage(problem: .known(kind), code: text, detail: text, requestID: text) as any Page)
        }
        return kinds + [
            (
                "sign_in",
                SignInPage(action: "/login", transaction: text, clientName: text, email: text, problem: .signInAgain)
            ),
            (
                "sign_in_wrong",
                SignInPage(action: "/login", transaction: text, clientName: text, problem: .wrongPassword)
            ),
            ("sign_in_own", SignInPage(action: "/login", transaction: text, canCancel: false)),
            ("consent", consent), ("consent_known", known),
            (
                "select_account",
                SelectAccountPage(action: "/login", transaction: text, clientName: text, accounts: accounts)
            ),
            ("error_other", ErrorPage(problem: other, back: .local("/account"))),
            ("signed_out", SignedOutPage(signIn: .local("/account"))),
        ]
    }

    static func brand() throws -> Brand {
        try Brand(name: "Acme \"Locks\"", support: "help@acme.example", privacy: "https://acme.example/privacy?a=1&b=2")
    }

    @Test(arguments: corpus, Language.allCases)
    func `No text of a client or a person changes a page's tags and attributes`(text: String, language: Language) throws
    {
        let pages = try Pages(brand: Self.brand())
        for (harmless, hostile) in zip(Self.everyPage("harmless"), Self.everyPage(text)) {
            let expected = Self.skeleton(pages.html(harmless.page, language: language, testMode: true))
            let found = Self.skeleton(pages.html(hostile.page, language: language, testMode: true))
            #expect(found == expected, "\(hostile.name)")
        }
    }

    @Test func `A name that looks like a template or a place stays a name`() throws {
        let page = SignInPage(action: "/login", transaction: "t", clientName: "{{words.allow}} {brand}")
        let html = try Pages().html(page, language: .english, testMode: false)
        #expect(html.contains("{{words.allow}} {brand}"))
    }

    @Test func `A name cannot turn the writing direction, hide or grow without end`() {
        #expect("\u{202E}gnp\u{2066}.exe\u{0}\u{200B}".shown(limit: 80) == "gnp.exe")
        #expect("  one\n\ttwo\u{2028}three ".shown(limit: 80) == "one two three")
        #expect(String(repeating: "a", count: 100).shown(limit: 10) == "aaaaaaaaa…")
        #expect("👩‍🔧 Zoë".shown(limit: 80) == "👩‍🔧 Zoë")
    }

    @Test(arguments: Language.allCases)
    func `Nothing in a page needs an inline style, a script or another host`(language: Language) throws {
        let pages = try Pages(brand: Brand(name: "Acme Locks"))
        for (name, page) in Self.everyPage("harmless") {
            let html = pages.html(page, language: language, testMode: true)
            let lowercase = html.lowercased()
            for word in [
                "<script", "<style", " style=", " onclick", " onload", "javascript:", "http://", "@import", "{", "}",
            ] {
                #expect(!lowercase.contains(word), "\(word) in \(name)")
            }
            #expect(html.contains("<html lang=\"\(language.rawValue)\">"))
            #expect(html.contains("<meta name=\"referrer\" content=\"no-referrer\">"))
            #expect(html.components(separatedBy: "<h1>").count == 2, "\(name)")
            try Self.write(html, "\(name)-\(language.rawValue).html")
        }
        #expect(!pages.stylesheet.contains("url("))
        for (name, asset) in pages.assets {
            try Self.write(String(decoding: asset.bytes, as: UTF8.self), "assets/\(name)")
        }
    }

    @Test func `Every local address begins with the issuer's path`() throws {
        let pages = try Pages(brand: Brand(name: "Acme Locks", support: "/help"), basePath: "/auth")
        for (name, page) in Self.everyPage("harmless") {
            let html = pages.html(page, language: .english, testMode: false)
            for address in Self.addresses(html) where address.hasPrefix("/") {
                #expect(address.hasPrefix("/auth/"), "\(address) in \(name)")
            }
        }
        #expect(pages.stylesheetPath.hasPrefix("/auth/assets/latchkey-"))
        for path in ["auth", "/auth/", "//auth", "/a b", "https://id.example"] {
            #expect(throws: PagesError.self) { try Pages(basePath: path) }
        }
    }

    @Test func `An asset's name changes with its content, so it can be kept for ever`() throws {
        let (one, two) = (try Pages(), try Pages(brand: Brand(name: "Acme", accent: "#ff0000")))
        #expect(one.stylesheetPath != two.stylesheetPath)
        #expect(two.stylesheet.contains("--accent:#ff0000"))
        let name = String(one.stylesheetPath.split(separator: "/").last ?? "")
        #expect(one.assets[name]?.contentType == "text/css; charset=utf-8")
        #expect(one.assets.values.allSatisfy { $0.isNamedByContent })
        let icon = try #require(two.assets.first { $0.key.hasPrefix("keyhole-") }?.value)
        #expect(String(decoding: icon.bytes, as: UTF8.self).contains("fill=\"#ff0000\""))
    }

    @Test func `The consent page says who asks, what for, for which account, how long and where it leads`() throws {
        let page = ConsentPage(
            action: "/consent",
            transaction: "sealed",
            clientName: "Seam",
            isVerified: true,
            redirectHost: "connect.getseam.com",
            accountName: "Jane Miller",
            accountEmail: "jane@example.com",
            scopes: ["Lock and unlock your doors"]
        )
        let pages = try Pages(brand: Brand(name: "Acme Locks"))
        let html = pages.html(page, language: .english, testMode: false)
        for text in [
            "<title>Connect Seam · Acme Locks</title>", "connect.getseam.com", "Jane Miller", "jane@example.com",
            "Not you?",
            "Lock and unlock your doors", "until you disconnect it, which you can do in your account",
            "Acme Locks knows this partner",
            "name=\"decision\" value=\"allow\">Allow<", "name=\"decision\" value=\"deny\">Deny<", "value=\"sealed\"",
        ] {
            #expect(html.contains(text), "\(text)")
        }
        #expect(!html.contains("has not checked"))
        var stranger = page
        stranger.isVerified = false
        #expect(
            pages.html(stranger, language: .english, testMode: false).contains("Acme Locks has not checked who runs")
        )
        #expect(pages.html(page, language: .german, testMode: false).contains("Seam</bdi> mit Ihrem Konto bei"))
    }

    @Test func `The sign-in page has real labels, and puts the focus on the first empty field`() throws {
        let pages = try Pages()
        var page = SignInPage(action: "/login", transaction: "sealed", clientName: "Seam")
        let empty = pages.html(page, language: .english, testMode: false)
        #expect(
            empty.contains("<label for=\"email\">Email</label>")
                && empty.contains("<label for=\"password\">Password</label>")
        )
        #expect(empty.contains("autocomplete=\"username\"") && empty.contains("autocomplete=\"current-password\""))
        #expect(empty.contains("value=\"\" autofocus") && !empty.contains("Test mode"))
        page.email = "jane@example.com"
        page.problem = .tooManyAttempts(wait: .seconds(90))
        let again = pages.html(page, language: .english, testMode: true)
        #expect(again.contains("value=\"jane@example.com\" aria-describedby") && again.contains("required autofocus"))
        #expect(again.contains("Wait 90 seconds") && again.contains("Test mode"))
        #expect(again.contains("<title>Problem: Sign in · Latchkey</title>"))
    }

    @Test func `Who has forgotten the password is shown the way, where the operator names one`() throws {
        let page = SignInPage(action: "/login", transaction: "sealed")
        let way = try Brand(name: "Acme", passwordReset: "https://acme.example/forgot?a=1&b=2")
        let html = try Pages(brand: way).html(page, language: .english, testMode: false)
        #expect(
            html.contains("<a href=\"https://acme.example/forgot?a=1&amp;b=2\">Forgot your password?</a>"),
            "\(html)"
        )
        #expect(try !Pages().html(page, language: .english, testMode: false).contains("Forgot"))
        #expect(throws: PagesError.self) { try Brand(name: "Acme", passwordReset: "javascript:alert(1)") }
    }

    static let wishes: [(locales: String?, header: String?, language: Language)] = [
        (nil, "de-AT,de;q=0.9,en;q=0.5", Language.german), (nil, "en-GB,en;q=0.9,de;q=0.8", .english),
        (nil, "fr,de;q=0.4,en;q=0.3", .german), (nil, "de;q=0, en;q=0.1", .english), (nil, "fr-CH, *;q=0.5", .english),
        ("de-CH en", "en", .german), ("fr en", "de", .english), ("fr", "de", .german), ("", "", .english),
        (nil, nil, .english),
        ("DE", nil, .german), (";;;,", ",,;q=x,-,de;q=nan", .english),
    ]

    @Test(arguments: wishes)
    func `The language is the client's wish, else the browser's, else English`(
        locales: String?,
        header: String?,
        language: Language
    ) {
        #expect(Language.preferred(uiLocales: locales, acceptLanguage: header) == language)
    }

    @Test func `A duration is told in the unit that fits`() {
        let english = Words.english
        #expect(english.duration(.milliseconds(1)) == "1 second")
        #expect(english.duration(.seconds(90)) == "90 seconds")
        #expect(english.duration(.seconds(150)) == "3 minutes")
        #expect(english.duration(.seconds(3600)) == "1 hour")
        #expect(Words.german.duration(.seconds(86_400 * 90)) == "90 Tage")
    }

    // MARK: - Reading a page

    /// The tags and attribute names of a page, found as a browser finds them, byte by byte; texts and values are left out.
    static func skeleton(_ html: String) -> [String] {
        var found: [String] = []
        var rest = html.utf8[...]
        while let open = rest.firstIndex(of: UInt8(ascii: "<")) {
            rest = rest[rest.index(after: open)...]
            var (tag, quote): (String.UnicodeScalarView, UInt8?) = (.init(), nil)
            while let byte = rest.popFirst() {
                if let mark = quote {
                    quote = byte == mark ? nil : quote
                } else if byte == UInt8(ascii: ">") {
                    break
                } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                    quote = byte
                } else {
                    tag.append(Unicode.Scalar(byte))
                }
            }
            found.append(String(tag))
        }
        return found
    }

    static func addresses(_ html: String) -> [String] {
        ["href=\"", "src=\"", "action=\""].flatMap { name in
            html.components(separatedBy: name).dropFirst().compactMap { $0.components(separatedBy: "\"").first }
        }
    }

    /// Leaves a page in the folder that `LATCHKEY_PAGES_OUT` names, for a look in a browser.
    static func write(_ text: String, _ name: String) throws {
        guard let folder = ProcessInfo.processInfo.environment["LATCHKEY_PAGES_OUT"] else { return }
        let file = URL(fileURLWithPath: folder).appendingPathComponent(name)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try text.write(to: file, atomically: true, encoding: .utf8)
    }
}
