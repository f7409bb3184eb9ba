/// The brand: colours that can be read, addresses that are safe, and the operator's own templates.

import Foundation
import TestBackends
import Testing

@testable import OAuthServer

@Suite struct BrandTests {
    @Test(arguments: [
        ("#000000", "#ffffff", 21.0), ("#ffffff", "#ffffff", 1.0), ("#777777", "#ffffff", 4.48),
        ("#767676", "#ffffff", 4.54),
        ("#ff0000", "#ffffff", 4.00), ("#0000ff", "#ffffff", 8.59), ("#ffff00", "#000000", 19.56),
    ])
    func `WCAG 2.2: the contrast of known pairs`(one: String, two: String, ratio: Double) throws {
        let contrast = try Colour(one).contrast(with: Colour(two))
        #expect(abs(contrast - ratio) < 0.005)
        #expect(try contrast == Colour(two).contrast(with: Colour(one)))
    }

    @Test func `Whatever the brand's colour, every text on every page keeps its contrast`() throws {
        let steps = stride(from: 0, through: 255, by: 17).map(UInt8.init)
        for red in steps {
            for green in steps {
                for blue in steps {
                    let accent = Colour(red: red, green: green, blue: blue)
                    let brand = try Brand(name: "Acme", accent: accent.description)
                    for palette in [Palette.light(brand), Palette.dark(brand)] {
                        let ink = palette == Palette.light(brand) ? try Colour("#15171b") : try Colour("#eceef1")
                        let ratios = [
                            palette.onAccent.contrast(with: palette.accent) / 4.5,
                            palette.onAccent.contrast(with: palette.accentHover) / 4.5,
                            palette.accentText.contrast(with: palette.surface) / 4.5,
                            palette.accentText.contrast(with: palette.ground) / 4.5,
                            palette.accentText.contrast(with: palette.accentTint) / 4.5,
                            palette.accentLine.contrast(with: palette.surface) / 3,
                            ink.contrast(with: palette.accentTint) / 4.5,
                        ]
                        if ratios.contains(where: { $0 < 1 }) {
                            Issue.record("\(accent): \(palette.declarations) \(ratios)")
                            return
                        }
                    }
                }
            }
        }
    }

    @Test(arguments: [
        "", "#fff", "0e6561", "#0e656", "#0e65611", "#0e656g", "red", "#+e6561", "#０e6561", "#0e6561;}body{",
    ])
    func `A colour is # and six hexadecimal digits, and the error says so`(text: String) {
        #expect(throws: PagesError.self) { try Colour(text) }
    }

    @Test func `A colour reads as it is written`() throws {
        #expect(try Colour("#0E6561").description == "#0e6561")
    }

    @Test(arguments: [
        "javascript:alert(1)", "JavaScript:alert(1)", " javascript:alert(1)", "java\nscript:alert(1)",
        "data:text/html,x", "//evil.example",
        "/\\evil.example", "https://", "vbscript:x", "https://a\" onclick=\"x", "https://a\n", "ftp://a", "", "account",
        "https://ä.example",
    ])
    func `A link that could run or mislead is refused`(text: String) {
        #expect(PageLink(text) == nil)
        #expect(PageImage(text) == nil)
        #expect(throws: PagesError.self) { try Brand(name: "Acme", privacy: text) }
        #expect(throws: PagesError.self) { try Brand(name: "Acme", logo: text) }
    }

    @Test func `Pictures come by https or embedded, links by web, mail or path`() {
        #expect(PageImage("https://acme.example/logo.svg") != nil)
        #expect(PageImage("data:image/png;base64,AAAA") != nil)
        #expect(PageImage("http://acme.example/logo.svg") == nil)
        #expect(PageImage("data:image/svg+xml,<svg/>") == nil)
        #expect(PageLink("/account")?.address(below: "/auth") == "/auth/account")
        #expect(PageLink("mailto:help@acme.example")?.address(below: "/auth") == "mailto:help@acme.example")
    }

    @Test func `A plain e-mail address becomes a link to write to`() throws {
        #expect(try Brand(name: "Acme", support: "help@acme.example").support == .absolute("mailto:help@acme.example"))
    }

    @Test(arguments: ["", "  ", "a\nb", "a\u{202E}b", String(repeating: "a", count: 81)])
    func `A brand's name is one visible line`(name: String) {
        #expect(throws: PagesError.self) { try Brand(name: name) }
    }

    // MARK: - The operator's own templates

    /// A new folder with some files, gone when the work is done.
    private func folder(_ files: [String: String], _ work: (String) throws -> Void) throws {
        let path = TestFolder.place()
        try FileManager.default.createDirectory(at: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: path) }
        for (name, text) in files {
            try Data(text.utf8).write(to: path.appendingPathComponent(name))
        }
        try work(path.path)
    }

    @Test func `A template in the operator's folder replaces the built-in one, and only that`() throws {
        try folder(["message.mustache": "Own: {{heading}} {{words.help}}", "latchkey.css": "body{margin:0}"]) { path in
            let pages = try Pages(overrides: path)
            let page = SignedOutPage(signIn: .local("/account"))
            #expect(pages.html(page, language: .german, testMode: false) == "Own: Sie sind abgemeldet Hilfe")
            let error = ErrorPage(problem: .known(.expired))
            #expect(pages.html(error, language: .english, testMode: false).contains("This page has expired"))
            #expect(pages.stylesheet.hasSuffix("body{margin:0}") && pages.stylesheet.hasPrefix(":root{--ground:"))
        }
    }

    @Test func `A picture in the operator's folder is served under its own name too`() throws {
        try folder(["door.svg": "<svg xmlns=\"http://www.w3.org/2000/svg\"/>"]) { path in
            let asset = try #require(try Pages(overrides: path).assets["door.svg"])
            #expect(asset.contentType == "image/svg+xml")
            #expect(!asset.isNamedByContent)
        }
    }

    @Test(arguments: [
        ("error.mustache", "{{#open}}"), ("consent.mustache", "a\n{{#x}}{{/y}}"), ("sign_in.mustache", "{{{email}}}"),
        ("layout.mustache", "{{&title}}"), ("message.mustache", "{{=<% %>=}}<%&body%>"),
        ("error.mustache", "{{%CONTENT_TYPE:TEXT}}"),
        ("sign-in.mustache", "x"), ("notes.txt", "x"),
    ])
    func `A wrong file stops the start with a sentence that names it`(name: String, text: String) throws {
        try folder([name: text]) { path in
            let error = try #require(throws: PagesError.self) { try Pages(overrides: path) }
            #expect(error.description.contains(name))
        }
    }

    @Test func `A folder that is not there stops the start`() throws {
        let error = try #require(throws: PagesError.self) { try Pages(overrides: "/no/such/folder") }
        #expect(error.description.contains("/no/such/folder"))
    }
}
