/// The console's table of routes and its pages' blocks.
import Foundation
import HTTPTypes
import OAuth
import Testing

@testable import OAuthServer
@testable import OAuthStore

@Suite struct Console {
    @Test func `U02: the black-box matrix reads exactly the routes that there are`() throws {
        let lines = Provider.consoleRoutes.flatMap { route in
            let access =
                switch route.access {
                case .anyone: "anyone"
                case .signedIn(let roles, _): roles.contains(.readOnly) ? "readers" : "operators"
                }
            return route.methods.map { "\($0.rawValue) \(route.fullPath) \(access)" }
        }
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Blackbox/console_routes.txt")
        let known = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
        let current = lines.joined(separator: "\n") + "\n"
        #expect(known == current, "write this to Tests/Blackbox/console_routes.txt:\n\(current)")
    }

    @Test func `U04: every POST is for full operators, but for one's own session`() {
        for route in Provider.consoleRoutes where route.methods.contains(.post) {
            guard case .signedIn(let roles, _) = route.access else { continue }
            #expect(roles == [.full] || route.path == "/sign-out", "\(route.path)")
        }
    }

    @Test(arguments: PagesTests.corpus)
    func `U05: no text changes a console page's tags and attributes`(text: String) throws {
        let pages = try Pages()
        let expected = PagesTests.skeleton(pages.html(Self.page("harmless"), language: .english, testMode: false))
        let found = PagesTests.skeleton(pages.html(Self.page(text), language: .english, testMode: false))
        #expect(found == expected)
    }

    @Test func `a message is for one session, and no secret of another`() throws {
        let seal = ConsoleSeal(secretKey: TestServer.secretKey)
        let (mine, theirs) = (try Self.session(1), try Self.session(2))
        let undo = ConsoleForm("/clients/a/enable", button: "Undo", hidden: [("uri", "https://a.example/")])
        let text = try seal.seal(ConsoleFlash("Done.", undo: undo), of: mine, id: [UInt8](repeating: 1, count: 16))
        #expect(seal.flash(text, of: theirs) == nil)
        let flash = try #require(seal.flash(text, of: mine))
        #expect(flash.text == "Done." && flash.undo?.hidden.first?.value == "https://a.example/")
        #expect(seal.token(of: mine) != seal.token(of: theirs))
        #expect(throws: PageRefusal.self) { try seal.check(seal.token(of: theirs), of: mine) }
        #expect(throws: PageRefusal.self) { try seal.check(nil, of: mine) }
        #expect(throws: Never.self) { try seal.check(seal.token(of: mine), of: mine) }
    }

    @Test func `times and numbers read well`() {
        #expect(Instant(seconds: 0).readable == "1970-01-01 00:00 UTC")
        #expect(Instant(seconds: 1_618_354_090).readable == "2021-04-13 22:48 UTC")
        #expect(Instant(seconds: 951_825_599).readable == "2000-02-29 11:59 UTC")
        #expect(Int64(1_234_567).grouped == "1\u{202F}234\u{202F}567" && Int64(999).grouped == "999")
        #expect(Int64(1).counted("account") == "1 account" && Int64(0).counted("account") == "0 accounts")
    }

    @Test(arguments: ["new", ".", "..", "s6BhdRkqt3", "news", "..."])
    func `every client has a page, also where its id means something else in an address`(text: String) throws {
        let id = try #require(ClientID(text))
        let parts = id.consolePath.split(separator: "/")
        #expect(parts.count == 2 && parts[0] == "clients" && !["new", ".", ".."].contains(parts[1]))
        #expect(ClientID(consolePart: String(parts[1])) == id)
    }

    private static func session(_ byte: UInt8) throws -> OperatorSession {
        let id = try #require(OperatorID(bytes: [UInt8](repeating: byte, count: 16)))
        let now = Instant(seconds: 1_618_354_090)
        return OperatorSession(
            digest: SecretDigest(of: "\(byte)"),
            id: [UInt8](repeating: byte, count: 16),
            account: Self.account(id, "Ada"),
            provedAt: now,
            idleUntil: now + .minutes(30),
            endsAt: now + .hours(12)
        )
    }

    private static func account(_ id: OperatorID, _ text: String) -> Operator {
        Operator(
            id: id,
            name: text,
            email: text,
            role: .full,
            createdAt: Instant(seconds: 0),
            lastSignedInAt: nil,
            disabledAt: nil
        )
    }

    /// A page with the same text in every place of every block.
    private static func page(_ text: String) -> ConsolePage {
        let link = ConsoleLink(text, "/clients")
        var form = ConsoleForm("/clients", button: text, style: .danger, hidden: [(text, text)])
        form.problem = text
        form.cancel = "/clients"
        form.fields = [
            ConsoleField("a", text, value: text, hint: text), ConsoleField("b", text, .lines, value: text),
            ConsoleField("c", text, .choice([(value: text, label: text)]), value: text),
            ConsoleField("d", text, .check, value: text), ConsoleField("e", text, .password(isNew: true)),
            ConsoleField("f", text, .email, value: text), ConsoleField("g", text, .username, value: text),
            ConsoleField("h", text, .ownName, value: text),
        ]
        var table = ConsoleTable(text, [text, text, text, text, text, text, ""], empty: text)
        table.rows = [
            [
                .text(text, detail: text), .link(text, "/a", detail: text), .code(text), .badge(text, .good),
                .time(Instant(seconds: 0)), .text(nil), .button(form),
            ]
        ]
        var empty = ConsoleTable(text, [text], empty: text)
        empty.emptyAction = link
        var page = ConsolePage(text, area: .clients, trail: [link], lead: text)
        page.badge = ConsoleBadge(text, .caution)
        page.actions = [link]
        let fact = ConsoleFact(text, .code(text), .text(text))
        page.add(
            .section(text, text),
            .text(text),
            .notice(.problem, text, [text]),
            .facts([fact]),
            .table(table),
            .table(empty),
            .search(ConsoleSearch(path: "/clients", label: text, value: text, kept: [])),
            .form(form),
            .links([link]),
            .credentials([fact]),
            .command(text),
            .figures([ConsoleFigure(text, Tally(1, upTo: 1), "/clients")]),
            .chart(
                ConsoleChart(
                    id: "chart",
                    title: text,
                    steps: [text, text],
                    series: [ConsoleChart.Series(name: text, values: [1, 2])]
                )
            )
        )
        if let id = OperatorID(bytes: [UInt8](repeating: 1, count: 16)) {
            page.frame = ConsoleFrame(
                account: account(id, text),
                token: text,
                flash: ConsoleFlash(text, undo: form)
            )
        }
        return page
    }
}
