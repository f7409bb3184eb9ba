/// F12: what a restore ends again, and what it leaves as the backup has it.
import OAuth
import OAuthStore
import TestBackends
import Testing

@Suite struct `Restored ledger` {
    private static let monday = Ledger.now + .days(1)
    private static let tuesday = Ledger.now + .days(2)
    private static let thursday = Ledger.now + .days(4)
    private static let restored = Ledger.now + .days(5)

    @Test(arguments: Backend.allCases)
    func `F12: what was disabled in the backup is not enabled by an older line of another node's log`(
        _ backend: Backend
    ) async throws {
        try await backend.withLedger { ledger in
            let things = try await Self.disabled(at: Self.tuesday, ledger)
            let lines = things.enabled(at: Self.monday)
            #expect(try await ledger.store.reapply(lines, now: Self.restored).isEmpty)
            #expect(try await things.areDisabled(ledger))
            // A line that is younger than the backup's word counts.
            let later = lines + things.enabled(at: Self.thursday)
            #expect(try await ledger.store.reapply(later, now: Self.restored).values.reduce(0, +) == 3)
            #expect(try await things.areEnabled(ledger))
        }
    }

    @Test(arguments: Backend.allCases)
    func `F12: what was enabled in the backup is not disabled by an older line of another node's log`(
        _ backend: Backend
    ) async throws {
        try await backend.withLedger { ledger in
            let things = try await Self.disabled(at: Self.monday, ledger)
            try await things.enable(ledger, at: Self.tuesday)
            #expect(try await ledger.store.reapply(things.disabled(at: Self.monday), now: Self.restored).isEmpty)
            #expect(try await things.areEnabled(ledger))
            let later = things.disabled(at: Self.thursday)
            #expect(try await ledger.store.reapply(later, now: Self.restored).values.reduce(0, +) == 3)
            #expect(try await things.areDisabled(ledger))
        }
    }

    @Test func `F12: an epoch begins, however long it takes to end what was under way`() async throws {
        try await Backend.postgres.withLedger { ledger in
            try await ledger.issue("code")
            let owner = ledger.database
            try await owner.run(
                """
                create function slow() returns trigger language plpgsql as
                $$ begin perform pg_sleep(5); return null; end $$
                """
            )
            try await owner.run("create trigger slow before delete on codes for each statement execute function slow()")
            let hasty = try ledger.storage.open(patience: .seconds(3))
            let ended = try await Store(hasty).beginEpoch(by: .server, now: Self.restored)
            await hasty.close()
            #expect(ended.codes == 1)
            #expect(try await ledger.count("codes") == 0)
        }
    }

    // MARK: What is disabled

    /// A client, an account and an operator.
    private struct Things {
        let client: ClientID
        let account: AccountID
        let person: OperatorID

        func enabled(at now: Instant) -> [Ending] {
            [
                Ending(at: now, .clientEnabled, client.text),
                Ending(at: now, .accountEnabled, account.description),
                Ending(at: now, .operatorEnabled, person.description),
            ]
        }

        func disabled(at now: Instant) -> [Ending] {
            [
                Ending(at: now, .clientDisabled, client.text),
                Ending(at: now, .accountDisabled, account.description),
                Ending(at: now, .operatorDisabled, person.description),
            ]
        }

        func enable(_ ledger: Ledger, at now: Instant) async throws {
            try await set(isDisabled: false, ledger, now)
        }

        func set(isDisabled: Bool, _ ledger: Ledger, _ now: Instant) async throws {
            _ = try await ledger.store.update(client, by: .server, now: now) { $0.isDisabled = isDisabled }
            let instant = isDisabled ? now : nil
            _ = try await ledger.store.change(account, .disabled(at: instant), by: .server, now: now)
            _ = try await ledger.store.setOperator(person, disabledAt: instant, by: .server, now: now)
        }

        func areDisabled(_ ledger: Ledger) async throws -> Bool { try await states(ledger) == [true, true, true] }

        func areEnabled(_ ledger: Ledger) async throws -> Bool { try await states(ledger) == [false, false, false] }

        private func states(_ ledger: Ledger) async throws -> [Bool?] {
            let rows = try await ledger.database.rows(
                "select disabled_at from operators where operator_id = $1",
                [.bytes(person.bytes)]
            )
            return [
                try await ledger.store.client(client)?.registration.isDisabled,
                try await ledger.store.account(account).map { $0.disabledAt != nil },
                try rows.first.map { try $0.optionalInteger(0) != nil },
            ]
        }
    }

    private static func disabled(at now: Instant, _ ledger: Ledger) async throws -> Things {
        let things = Things(
            client: try ledger.client.client.id,
            account: ledger.account,
            person: try #require(OperatorID(bytes: Ledger.bytes("operator")))
        )
        try await ledger.database.run(
            """
            insert into operators (operator_id, name, email, email_key, role, password_hash, created_at)
            values ($1, $2, $2, $2, 'operator', '-', $3)
            """,
            [.bytes(things.person.bytes), .text("Ada"), .integer(Ledger.now.milliseconds)]
        )
        try await things.set(isDisabled: true, ledger, now)
        return things
    }
}
