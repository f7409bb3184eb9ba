/// The audit trail: every administrative change is in it, with who, before and after, and without a secret (U06).
import OAuth
import TestBackends
import Testing

@testable import OAuthStore

@Suite struct `The audit trail (ASVS 16.3, U06)` {
    private static let jane = Actor.operatorAccount(id: "opr_1", name: "Jane")

    private static func id(_ text: String) throws -> ClientID { try #require(ClientID(text)) }

    private static func secret(_ text: String) -> ClientSecret {
        ClientSecret(digest: SecretDigest(of: text), isForTests: false)
    }

    /// What was done since the ledger was made, the oldest first.
    private static func trail(_ ledger: Ledger) async throws -> [AuditRecord] {
        try await ledger.store.audit(AuditFilter(actor: jane.id)).reversed()
    }

    @Test(arguments: Backend.allCases)
    func `every change of a client is recorded with before and after`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            let (store, now, id) = (ledger.store, Ledger.now, try Self.id("new"))
            _ = try await store.register(Ledger.registration("new"), secret: Self.secret("0"), by: Self.jane, now: now)
            _ = try await store.update(id, by: Self.jane, now: now) { $0.name = "Newer" }
            _ = try await store.update(id, by: Self.jane, now: now) { _ in }  // changes nothing, and is no entry
            for isDisabled in [true, false] {
                _ = try await store.update(id, by: Self.jane, now: now) { $0.isDisabled = isDisabled }
            }
            _ = try await store.rotateSecret(of: id, to: Self.secret("1"), by: Self.jane, now: now)
            try await store.setSecret(of: id, to: Self.secret("2"), by: Self.jane, now: now)
            _ = try await store.deleteClient(id, by: Self.jane, now: now)
            let trail = try await Self.trail(ledger)
            #expect(
                trail.map(\.action) == [
                    "client.created", "client.updated", "client.disabled", "client.enabled", "client.secret_rotated",
                    "client.secret_rotated", "client.deleted",
                ]
            )
            #expect(trail.allSatisfy { $0.subject == "client:new" && $0.at == now && $0.actorKind == "operator" })
            #expect(trail.allSatisfy { $0.actor == "opr_1" && $0.actorName == "Jane" })
            #expect(trail[0].before == nil && trail[0].after?.contains(#""name":"new""#) == true)
            #expect(trail[1].before == trail[0].after && trail[1].after?.contains(#""name":"Newer""#) == true)
            #expect(trail[4].before == #"{"live_secrets":1}"#)
            #expect(trail[4].after == #"{"client_secret":"***","for_tests":false,"live_secrets":2}"#)
            #expect(trail[6].before == trail[3].after && trail[6].after == #"{"connections_cut":0}"#)
        }
    }

    @Test(arguments: Backend.allCases)
    func `every change of an account is recorded, without its hash`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            let (store, now, id) = (ledger.store, Ledger.now, Ledger.accountID("joe"))
            _ = try await store.create(Ledger.newAccount("joe", externalID: "7"), by: Self.jane, now: now)
            let changes: [Store.AccountChange] = [
                .email("joe@other.example"), .passwordHash("hash of another"), .disabled(at: now), .disabled(at: nil),
                .disabled(at: nil),  // changes nothing
            ]
            for change in changes { _ = try await store.change(id, change, by: Self.jane, now: now) }
            _ = try await store.deleteAccount(id, by: Self.jane, now: now)
            _ = try await store.deleteAccount(id, by: Self.jane, now: now)
            let trail = try await Self.trail(ledger)
            #expect(
                trail.map(\.action) == [
                    "account.created", "account.email_changed", "account.password_changed", "account.disabled",
                    "account.enabled", "account.deleted",
                ]
            )
            #expect(
                trail[0].after
                    == #"{"email":"joe@example.com","name":"joe","external_id":"7","password":"***"}"#
            )
            #expect(trail[1].before?.contains("joe@example.com") == true)
            #expect(trail[1].after?.contains("joe@other.example") == true)
            #expect(!trail.contains { "\($0.before ?? "")\($0.after ?? "")".contains("hash of") })
        }
    }

    @Test(arguments: Backend.allCases)
    func `a cut connection is recorded once, by who cut it`(_ backend: Backend) async throws {
        try await backend.withLedger { ledger in
            let client = try ledger.client.client.id
            let cut = try await ledger.connect("cut")
            for actor in [Actor.client(client), .server] {
                try await ledger.store.revoke(cut, because: .client, by: actor, now: Ledger.now)
            }
            let replayed = try await ledger.connect("replayed")
            _ = try await ledger.redeem("replayed")
            let reused = try await ledger.connect("reused", to: .strict)
            for _ in 0..<2 { _ = try await ledger.refresh(reused, presenting: 0, .strict) }
            let trail = try await ledger.store.audit(AuditFilter(action: "connection.revoked"))
            #expect(trail.map(\.subject) == [reused, replayed, cut].map { "connection:\($0)" })
            #expect(trail.map(\.actorKind) == ["server", "server", "client"])
            #expect(
                trail.map(\.after)
                    == ["token_reused", "code_replayed", "client"].map { #"{"revoked_why":"\#($0)"}"# }
            )
            #expect(trail[2].before?.contains(ledger.account.description) == true)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a change that rolls back leaves no entry, and an entry that cannot be written leaves no change`(
        _ backend: Backend
    ) async throws {
        try await backend.withLedger { ledger in
            let before = try await ledger.count("audit")
            let taken = try await ledger.store.change(
                try #require(
                    try await ledger.store.create(Ledger.newAccount("joe"), by: Self.jane, now: Ledger.now)
                ).id,
                .email("account@example.com"),
                by: Self.jane,
                now: Ledger.now
            )
            #expect(taken == .emailIsTaken)
            #expect(try await ledger.count("audit") == before + 1)
            try await ledger.database.run("drop table audit")
            #expect(
                await sqlError {
                    _ = try await ledger.store.deleteClient(
                        try ledger.client.client.id,
                        by: Self.jane,
                        now: Ledger.now
                    )
                } != nil
            )
            #expect(try await ledger.store.client(try ledger.client.client.id) != nil)
        }
    }

    @Test(arguments: Backend.allCases)
    func `it is read in pages, found by subject, actor, action and text, and exported whole`(
        _ backend: Backend
    ) async throws {
        try await backend.withLedger { ledger in
            for number in 0..<25 {
                _ = try await ledger.store.create(
                    Ledger.newAccount("n\(number)", email: "100%_\(number)@example.com"),
                    by: number.isMultiple(of: 5) ? Self.jane : .commandLine(user: "root"),
                    now: Ledger.now
                )
            }
            let store = ledger.store
            var numbers: [Int64] = []
            while true {
                let page = try await store.audit(before: numbers.last, limit: 7)
                guard !page.isEmpty else { break }
                numbers += page.map(\.number)
            }
            #expect(numbers == numbers.sorted(by: >) && Set(numbers).count == numbers.count)
            #expect(Int64(numbers.count) == (try await ledger.count("audit")))
            var exported: [Int64] = []
            try await store.exportAudit(page: 4) { exported += $0.map(\.number) }
            #expect(exported == numbers.reversed())
            let id = Ledger.accountID("n3")
            #expect(try await store.audit(AuditFilter(subject: "account:\(id)")).count == 1)
            #expect(try await store.audit(AuditFilter(actor: "root", action: "account.created")).count == 20)
            #expect(try await store.audit(AuditFilter(text: "100%_1")).count == 11)
            #expect(try await store.audit(AuditFilter(text: "JANE")).count == 5)
            _ = try await store.create(
                Store.NewAccount(id: Ledger.accountID("ä"), email: "a@example.com", name: "Ärzte", passwordHash: nil),
                by: .server,
                now: Ledger.now
            )
            for text in ["Ärzte", "ärzte", "ÄRZTE"] {
                #expect(try await store.audit(AuditFilter(text: text)).count == 1, "\(text)")
            }
            #expect(try await store.audit(AuditFilter(text: "1000_")).isEmpty)
            #expect(try await store.audit(AuditFilter(actor: Self.jane.id), limit: 2).count == 2)
        }
    }

    @Test func `what an entry is about is read as it was written`() {
        let subjects: [AuditSubject] = [
            .client("a:b"), .account(Ledger.accountID("one")), .operatorInvited(as: nil), .everyAccount, .database,
        ]
        #expect(subjects.compactMap { AuditSubject(text: $0.text) } == subjects)
        #expect(AuditSubject.client("a:b").text == "client:a:b")
        #expect(AuditSubject(text: "of a newer release:1") == nil)
    }

    @Test func `an entry is one line of JSON, a state that is none being a text in it`() {
        func line(_ before: String?, _ after: String?, name: String?) -> String {
            let record = AuditRecord(
                number: 7,
                at: Instant(milliseconds: 1_795_251_727_125),
                actorKind: "operator",
                actor: "opr_1",
                actorName: name,
                action: "client.updated",
                subject: #"client:"a"#,
                before: before,
                after: after
            )
            return String(decoding: record.line, as: UTF8.self)
        }
        let end = #""number":7,"subject":"client:\"a"}"# + "\n"
        #expect(
            line(nil, #"{"name":"New","scopes":[]}"#, name: nil)
                == #"{"action":"client.updated","actor":{"id":"opr_1","kind":"operator","name":null},"#
                + #""after":{"name":"New","scopes":[]},"at":"2026-11-21T09:02:07.125Z","before":null,"# + end
        )
        #expect(
            line("half {\n", "1.5", name: "Jane")
                == #"{"action":"client.updated","actor":{"id":"opr_1","kind":"operator","name":"Jane"},"#
                + #""after":1.5,"at":"2026-11-21T09:02:07.125Z","before":"half {\u000a","# + end
        )
    }
}
