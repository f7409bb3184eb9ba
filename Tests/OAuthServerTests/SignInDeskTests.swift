/// Sign-in: limits that hold on all nodes together, and that hit nobody who is right (ASVS 6.3.1).
import OAuth
import OAuthStore
import Synchronization
import TestBackends
import Testing

@testable import OAuthServer

@Suite struct `Sign-in desk` {
    private static let now = Instant(seconds: 1_618_354_090)
    private static func desk(
        _ store: Store,
        _ settings: Settings,
        _ passwords: PasswordHasher? = nil
    ) throws -> SignInDesk {
        try SignInDesk(
            store: store,
            settings: settings,
            hashOfNobody: Argon2id.ofNobody(),
            deviceKey: deviceKey,
            random: TestClock().ambient.random,
            passwords: passwords
        )
    }

    private static let deviceKey = TestServer.key(1).derived(for: "known devices")

    /// Two nodes' desks on one database, and an account.
    private struct Desks: Sendable {
        let rigged: RiggedDatabase
        let store: Store
        let one: SignInDesk
        let two: SignInDesk

        func desk(_ number: Int) -> SignInDesk { number.isMultiple(of: 2) ? one : two }

        func start(_ proved: ProvedSignIn) async throws -> Bool {
            let name = `Sign-in desk`.sessions.withLock { count in
                count += 1
                return "session \(count)"
            }
            return try await store.startSession(
                SecretDigest(of: name),
                account: proved.account.id,
                provedBy: proved.proof,
                replacing: nil,
                settling: proved.attempt,
                now: `Sign-in desk`.now,
                idleUntil: `Sign-in desk`.now + .hours(1),
                endsAt: `Sign-in desk`.now + .hours(1)
            )
        }

        func check(
            _ desk: SignInDesk,
            email: String = TestServer.email,
            password: String,
            device: KnownDevice? = nil,
            address: String = "192.0.2.1",
            at now: Instant = `Sign-in desk`.now
        ) async throws -> Verdict {
            let outcome = try await desk.check(
                email: email,
                password: Secret(password),
                device: device,
                address: address,
                now: now
            )
            switch outcome {
            case .signedIn(let proved):
                return try await start(proved) ? .signedIn : .wrong
            case .wrong: return .wrong
            case .disabled: return .disabled
            case .blocked: return .blocked
            case .busy, .unavailable: return .busy
            }
        }
    }

    /// Counts sessions, so that each has a name of its own.
    private static let sessions = Mutex(0)

    private enum Verdict: Sendable, Equatable {
        case signedIn, wrong, disabled, blocked, busy
    }

    private func withDesks(
        _ backend: Backend,
        hash: String? = TestServer.passwordHash,
        change: (inout Settings) -> Void = { _ in },
        passwords: PasswordHasher? = nil,
        _ body: (Desks) async throws -> Void
    ) async throws {
        try await backend.withStorage { storage async throws in
            let rigged = RiggedDatabase(try storage.open())
            try await Migrations().run(on: rigged)
            let (store, other) = (Store(rigged), Store(try storage.open()))
            let account = Store.NewAccount(
                id: try #require(AccountID(bytes: [UInt8](repeating: 1, count: 16))),
                email: TestServer.email,
                name: nil,
                passwordHash: hash
            )
            let made = try await store.create(account, by: .server, now: Self.now)
            #expect(made != nil)
            var settings = try TestServer.settings()
            settings.passwordThreads = 2
            change(&settings)
            let desks = Desks(
                rigged: rigged,
                store: store,
                one: try Self.desk(store, settings, passwords),
                two: try Self.desk(other, settings)
            )
            do {
                try await body(desks)
            } catch {
                Issue.record(error)
            }
            await desks.one.shutDown()
            await desks.two.shutDown()
            await store.close()
            await other.close()
        }
    }

    /// Argon2id with so little memory that wrong passwords cost the test nothing.
    private static let cheapHash =
        "$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

    @Test(arguments: Backend.allCases)
    func `of 200 parallel wrong passwords on two nodes, ten are looked at`(_ backend: Backend) async throws {
        try await withDesks(backend, hash: Self.cheapHash) { desks async throws in
            let verdicts = try await parallel(200) { number async throws in
                try await desks.check(desks.desk(number), password: "wrong \(number)", address: "192.0.2.\(number)")
            }
            #expect(verdicts.count { $0 == .wrong } == 10)
            #expect(verdicts.count { $0 == .blocked } == 190)
            #expect(try await desks.check(desks.one, password: TestServer.password) == .blocked)
        }
    }

    @Test(arguments: Backend.allCases)
    func `an account that does not exist costs the same work, and is limited the same`(_ backend: Backend) async throws
    {
        try await withDesks(backend) { desks async throws in
            var works: [[Int]] = []
            for email in [TestServer.email, "nobody@example.com"] {
                let before = (desks.rigged.reads, desks.rigged.transactions)
                #expect(try await desks.check(desks.one, email: email, password: "wrong") == .wrong)
                works.append([desks.rigged.reads - before.0, desks.rigged.transactions - before.1])
                for _ in 1..<10 { #expect(try await desks.check(desks.one, email: email, password: "wrong") == .wrong) }
                #expect(try await desks.check(desks.one, email: email, password: "wrong") == .blocked)
            }
            #expect(works[0] == works[1])
        }
    }

    @Test(arguments: Backend.allCases)
    func `an address's case and a right password's company do not matter`(_ backend: Backend) async throws {
        try await withDesks(backend) { desks async throws in
            for _ in 0..<9 { #expect(try await desks.check(desks.one, password: "wrong") == .wrong) }
            let email = TestServer.email.uppercased()
            #expect(try await desks.check(desks.two, email: email, password: TestServer.password) == .signedIn)
            // The right one has forgotten the wrong ones before it.
            for _ in 0..<10 { #expect(try await desks.check(desks.one, email: email, password: "wrong") == .wrong) }
            #expect(try await desks.check(desks.one, password: "wrong") == .blocked)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a browser that has signed in before is not blocked by strangers' failures, only by its own`(
        _ backend: Backend
    )
        async throws
    {
        try await withDesks(backend) { desks in
            let random = [UInt8](repeating: 5, count: 16)
            let cookie = try desks.one.cookie(for: nil, adding: TestServer.email, random: random)
            let device = try #require(desks.two.device(cookie))
            for number in 0..<11 {
                let address = "198.51.100.\(number)"
                _ = try await desks.check(desks.one, password: "wrong", address: address)
            }
            let other = try #require(
                desks.one.device(try desks.one.cookie(for: nil, adding: "john@example.com", random: random))
            )
            #expect(try await desks.check(desks.one, password: TestServer.password) == .blocked)
            #expect(try await desks.check(desks.one, password: TestServer.password, device: other) == .blocked)
            #expect(try await desks.check(desks.two, password: TestServer.password, device: device) == .signedIn)
            for _ in 0..<10 { #expect(try await desks.check(desks.two, password: "wrong", device: device) == .wrong) }
            #expect(try await desks.check(desks.one, password: TestServer.password, device: device) == .blocked)
        }
    }

    @Test func `a device cookie is nobody's but the server's, and remembers eight accounts`() throws {
        let random = [UInt8](repeating: 5, count: 16)
        var device: KnownDevice?
        for number in 0..<9 {
            let sealed = try KnownDevice(device, adding: "\(number)@example.com", random: random)
                .sealed(id: random, key: Self.deviceKey)
            device = KnownDevice(sealed, key: Self.deviceKey)
            #expect(KnownDevice(sealed, key: TestServer.key(2).derived(for: "known devices")) == nil)
            #expect(KnownDevice(sealed.dropLast() + "!", key: Self.deviceKey) == nil)
        }
        let known = try #require(device)
        #expect((1..<9).allSatisfy { known.knows("\($0)@EXAMPLE.com") } && !known.knows("0@example.com"))
        #expect(known.id == random)
    }

    @Test(arguments: Backend.allCases)
    func `correct sign-ins are never refused, however many come at once`(_ backend: Backend) async throws {
        try await withDesks(backend) { desks async throws in
            let verdicts = try await parallel(60) { number in
                try await desks.check(desks.desk(number), password: TestServer.password)
            }
            #expect(verdicts.allSatisfy { $0 == .signedIn })
        }
    }

    /// A browser that has signed in as Jane before.
    private func knownDevice(_ byte: UInt8 = 5) -> KnownDevice {
        KnownDevice(nil, adding: TestServer.email, random: [UInt8](repeating: byte, count: 16))
    }

    @Test(arguments: Backend.allCases)
    func `an address with too many failures waits, whatever accounts they were for`(_ backend: Backend) async throws {
        let limit = AttemptLimit(
            failures: 200,
            window: .minutes(15),
            firstWait: .seconds(1),
            longestWait: .minutes(15)
        )
        #expect(try TestServer.settings().addressLimit == limit)
        let tight = { (settings: inout Settings) in
            settings.addressLimit = AttemptLimit(
                failures: 20,
                window: limit.window,
                firstWait: limit.firstWait,
                longestWait: limit.longestWait
            )
        }
        try await withDesks(backend, change: tight) { desks async throws in
            let verdicts = try await parallel(20) { number in
                try await desks.check(desks.desk(number), email: "\(number)@example.com", password: "wrong")
            }
            #expect(verdicts.allSatisfy { $0 == .wrong })
            #expect(try await desks.check(desks.one, email: "x@example.com", password: "x") == .blocked)
            #expect(
                try await desks.check(desks.one, email: "x@example.com", password: "x", address: "192.0.2.2") == .wrong
            )
            // A browser that has signed in before waits for nobody else, and ends nobody's wait.
            let device = knownDevice()
            #expect(try await desks.check(desks.two, password: TestServer.password, device: device) == .signedIn)
            #expect(try await desks.check(desks.two, password: TestServer.password) == .blocked)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a known browser's failures are its own, and not its address's`(_ backend: Backend) async throws {
        let tight = { (settings: inout Settings) in
            settings.addressLimit = AttemptLimit(
                failures: 5,
                window: .minutes(15),
                firstWait: .seconds(1),
                longestWait: .minutes(15)
            )
        }
        try await withDesks(backend, hash: Self.cheapHash, change: tight) { desks async throws in
            for number in 0..<20 {
                let device = knownDevice(UInt8(number / 10))
                #expect(try await desks.check(desks.desk(number), password: "wrong", device: device) == .wrong)
            }
            #expect(try await desks.check(desks.one, password: "wrong") == .wrong)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a flood on one account does not make others behind the same address wait`(_ backend: Backend) async throws {
        try await withDesks(backend) { desks async throws in
            let verdicts = try await parallel(300) { number in
                try await desks.check(desks.desk(number), email: "nobody@example.com", password: "wrong \(number)")
            }
            #expect(verdicts.count { $0 == .wrong } == 10)
            #expect(verdicts.allSatisfy { [.wrong, .blocked, .busy].contains($0) })
            #expect(try await desks.check(desks.one, password: TestServer.password) == .signedIn)
            let device = knownDevice()
            #expect(try await desks.check(desks.two, password: TestServer.password, device: device) == .signedIn)
        }
    }

    @Test(arguments: Backend.allCases)
    func `all addresses of an IPv6 subscriber count as one, and so does IPv4 in IPv6`(_ backend: Backend) async throws {
        let one = { (settings: inout Settings) in
            settings.addressLimit = AttemptLimit(
                failures: 1,
                window: .minutes(15),
                firstWait: .seconds(1),
                longestWait: .minutes(15)
            )
        }
        let pairs = [
            ("2001:db8::1", "2001:DB8:0:0:ffff::2", "2001:db8:0:1::1"), ("10.0.0.1", "::ffff:10.0.0.1", "10.0.0.2"),
        ]
        try await withDesks(backend, change: one) { desks async throws in
            for (first, same, other) in pairs {
                #expect(
                    try await desks.check(desks.one, email: "a@example.com", password: "x", address: first) == .wrong
                )
                #expect(
                    try await desks.check(desks.one, email: "b@example.com", password: "x", address: same) == .blocked
                )
                #expect(
                    try await desks.check(desks.one, email: "c@example.com", password: "x", address: other) == .wrong
                )
            }
        }
    }

    @Test(arguments: Backend.allCases)
    func `who finds the queue full is asked to come again, and nothing is counted`(_ backend: Backend) async throws {
        let passwords = PasswordHasher(threads: 1, waiting: 0)
        try await withDesks(backend, passwords: passwords) { desks in
            let before = (desks.rigged.reads, desks.rigged.transactions)
            let verdict = try await passwords.queued { _ async throws in
                try await desks.check(desks.one, password: TestServer.password)
            }
            #expect(verdict == .busy)
            #expect(before == (desks.rigged.reads, desks.rigged.transactions))
            #expect(try await desks.check(desks.one, password: TestServer.password) == .signedIn)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a password that is changed while it is checked signs nobody in`(_ backend: Backend) async throws {
        try await withDesks(backend) { desks in
            let id = try #require(try await desks.store.accounts().first?.id)
            for change in [Store.AccountChange.disabled(at: Self.now), .passwordHash(Self.cheapHash)] {
                let outcome = try await desks.one.check(
                    email: TestServer.email,
                    password: Secret(TestServer.password),
                    device: nil,
                    address: "192.0.2.1",
                    now: Self.now
                )
                guard case .signedIn(let proved) = outcome else {
                    Issue.record("\(outcome)")
                    return
                }
                _ = try await desks.store.change(id, change, by: .server, now: Self.now)
                #expect(try await !desks.start(proved))
                _ = try await desks.store.change(id, .disabled(at: nil), by: .server, now: Self.now)
            }
        }
    }

    @Test(arguments: Backend.allCases)
    func `an account without a password is nobody's`(_ backend: Backend) async throws {
        try await withDesks(backend, hash: nil) { desks async throws in
            for password in ["", "secret", TestServer.password] {
                #expect(try await desks.check(desks.one, password: password) == .wrong)
            }
        }
    }

    @Test(arguments: Backend.allCases)
    func `a disabled account is told only to who knows its password`(_ backend: Backend) async throws {
        try await withDesks(backend) { desks in
            let id = try #require(try await desks.store.accounts().first?.id)
            _ = try await desks.store.change(id, .disabled(at: Self.now), by: .server, now: Self.now)
            #expect(try await desks.check(desks.one, password: "wrong") == .wrong)
            for _ in 0..<12 {
                #expect(try await desks.check(desks.one, password: TestServer.password) == .disabled)
            }
        }
    }

    @Test(arguments: Backend.allCases)
    func `an old hash is replaced at the next sign-in`(_ backend: Backend) async throws {
        let bcrypt = "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"
        try await withDesks(backend, hash: bcrypt) { desks async throws in
            #expect(try await desks.check(desks.one, password: "wrong") == .wrong)
            #expect(try await desks.store.credentials(email: TestServer.email)?.passwordHash == bcrypt)
            #expect(try await desks.check(desks.one, password: "secret") == .signedIn)
            let upgraded = try #require(try await desks.store.credentials(email: TestServer.email)?.passwordHash)
            #expect(upgraded.hasPrefix("$argon2id$v=19$m=19456,t=2,p=1$"))
            #expect(try await desks.check(desks.two, password: "secret") == .signedIn)
            #expect(try await desks.store.credentials(email: TestServer.email)?.passwordHash == upgraded)
        }
    }

    @Test(arguments: Backend.allCases)
    func `what is longer than bcrypt can tell keeps its old hash`(_ backend: Backend) async throws {
        let long = String(repeating: "a", count: 72)
        let bcrypt = "$2b$04$abcdefghijklmnopqrstuuBzzIgyKkz7xMWYSzkIjUSnxEQFQ0WNe"
        try await withDesks(backend, hash: bcrypt) { desks async throws in
            for ending in ["b", "c"] {
                #expect(try await desks.check(desks.one, password: long + ending) == .signedIn)
                #expect(try await desks.store.credentials(email: TestServer.email)?.passwordHash == bcrypt)
            }
        }
    }

    @Test(arguments: Backend.allCases)
    func `two nodes that replace an old hash at once both sign in`(_ backend: Backend) async throws {
        let bcrypt = "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"
        try await withDesks(backend, hash: bcrypt) { desks in
            for _ in 0..<5 {
                let id = try #require(try await desks.store.accounts().first?.id)
                _ = try await desks.store.change(id, .passwordHash(bcrypt), by: .server, now: Self.now)
                let verdicts = try await parallel(2) { number in
                    try await desks.check(desks.desk(number), password: "secret")
                }
                #expect(verdicts == [.signedIn, .signedIn])
            }
        }
    }

    @Test func `one at a time has the turn, and others have theirs`() async throws {
        let turns = Turns(limit: 100)
        let inside = Mutex((now: 0, most: 0))
        let taken = try await parallel(100) { _ in
            guard await turns.take([1]) else { return false }
            inside.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
            await Task.yield()
            inside.withLock { $0.now -= 1 }
            await turns.pass([1])
            return true
        }
        #expect(taken.allSatisfy(\.self) && inside.withLock { $0.most } == 1)
        #expect(await turns.take([1]))
        #expect(await turns.take([2]))
    }

    @Test func `a full line refuses, until the turn has passed`() async {
        let turns = Turns(limit: 0)
        #expect(await turns.take([1]))
        #expect(await !turns.take([1]))
        await turns.pass([1])
        #expect(await turns.take([1]))
    }

    @Test func `all lines together hold no more than the limit, so that waiting takes up no more connections`() async {
        let turns = Turns(limit: 2)
        for subject: UInt8 in 1...3 { #expect(await turns.take([subject])) }
        await withTaskGroup { group in
            for subject: UInt8 in 1...2 { group.addTask { await turns.take([subject]) } }
            // Two wait, whoever they wait for; the third is refused at once.
            while await turns.waiting < 2 { await Task.yield() }
            #expect(await !turns.take([3]))
            for subject: UInt8 in 1...2 { await turns.pass([subject]) }
            for await taken in group { #expect(taken) }
        }
        #expect(await turns.waiting == 0)
    }

    /// A company's database often finds an address however its letters are dressed up; that must not pass the count.
    @Test(arguments: Backend.allCases)
    func `L02: other spellings of one address count as that address`(_ backend: Backend) async throws {
        let emails = [
            "nobody@example.com", "NOBODY@example.com", "n\u{F3}body@example.com", "no\u{301}body@example.com",
            "\u{FF4E}obody@example.com", "no\u{200B}body@example.com", "nobody@example.com\u{A0}",
            "nob ody@example.com",
            "\u{1D427}obody@example.com", "nobody@ex\u{E4}mple.com",
        ]
        try await withDesks(backend, hash: Self.cheapHash) { desks async throws in
            for email in emails { #expect(try await desks.check(desks.one, email: email, password: "x") == .wrong) }
            for email in emails { #expect(try await desks.check(desks.two, email: email, password: "x") == .blocked) }
            #expect(try await desks.check(desks.one, email: "n0body@example.com", password: "x") == .wrong)
        }
    }
}
