/// Sign-in: limits that hold on all nodes together, and that hit nobody who is right (ASVS 6.3.1).
import OAuth
import OAuthStore
import TestBackends
import Testing

@testable import OAuthServer

@Suite struct `Sign-in desk` {
    @Test(arguments: Backend.allCases)
    func `of 200 parallel wrong passwords on two nodes, ten are looked at`(_ backend: Backend) async throws {
        try await Desks.with(backend, hash: Desks.cheapHash) { desks async throws in
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
        try await Desks.with(backend) { desks async throws in
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
        try await Desks.with(backend) { desks async throws in
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
        try await Desks.with(backend) { desks in
            func device(_ email: String, at desk: SignInDesk) throws -> KnownDevice {
                let random = [UInt8](repeating: 5, count: 16)
                let known = KnownDevice(nil, adding: .customer(email), random: random)
                return try #require(desk.device(try desks.one.cookie(for: known, random: random)))
            }
            let known = try device(TestServer.email, at: desks.two)
            for number in 0..<11 {
                let address = "198.51.100.\(number)"
                _ = try await desks.check(desks.one, password: "wrong", address: address)
            }
            let other = try device("john@example.com", at: desks.one)
            #expect(try await desks.check(desks.one, password: TestServer.password) == .blocked)
            #expect(try await desks.check(desks.one, password: TestServer.password, device: other) == .blocked)
            #expect(try await desks.check(desks.two, password: TestServer.password, device: known) == .signedIn)
            for _ in 0..<10 { #expect(try await desks.check(desks.two, password: "wrong", device: known) == .wrong) }
            #expect(try await desks.check(desks.one, password: TestServer.password, device: known) == .blocked)
        }
    }

    @Test func `a device cookie is nobody's but the server's, and remembers eight accounts`() throws {
        let random = [UInt8](repeating: 5, count: 16)
        var device: KnownDevice?
        for number in 0..<9 {
            let sealed = try KnownDevice(device, adding: .customer("\(number)@example.com"), random: random)
                .sealed(id: random, key: Desks.deviceKey)
            device = KnownDevice(sealed, key: Desks.deviceKey)
            #expect(KnownDevice(sealed, key: TestServer.key(2).derived(for: "known devices")) == nil)
            #expect(KnownDevice(sealed.dropLast() + "!", key: Desks.deviceKey) == nil)
        }
        let known = try #require(device)
        #expect(
            (1..<9).allSatisfy { known.knows(.customer("\($0)@EXAMPLE.com")) }
                && !known.knows(.customer("0@example.com"))
        )
        #expect(known.id == random)
    }

    @Test(arguments: Backend.allCases)
    func `correct sign-ins are never refused, however many come at once`(_ backend: Backend) async throws {
        try await Desks.with(backend) { desks async throws in
            let verdicts = try await parallel(60) { number in
                try await desks.check(desks.desk(number), password: TestServer.password)
            }
            #expect(verdicts.allSatisfy { $0 == .signedIn })
        }
    }

    @Test func `a browser that knows a customer knows no operator, whatever the customer is called`() {
        let random = [UInt8](repeating: 1, count: 16)
        let device = KnownDevice(nil, adding: .customer("operator:root@example.org"), random: random)
        #expect(device.knows(.customer("operator:ROOT@example.org")))
        for name in ["operator:root@example.org", "root@example.org"] { #expect(!device.knows(.operator(name))) }
        #expect(
            KnownDevice(nil, adding: .operator("root@example.org"), random: random).knows(.operator("Root@example.org"))
        )
    }

    /// A browser that has signed in as Jane before.
    private func knownDevice(_ byte: UInt8 = 5) -> KnownDevice {
        KnownDevice(nil, adding: .customer(TestServer.email), random: [UInt8](repeating: byte, count: 16))
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
        try await Desks.with(backend, change: tight) { desks async throws in
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
        try await Desks.with(backend, hash: Desks.cheapHash, change: tight) { desks async throws in
            for number in 0..<20 {
                let device = knownDevice(UInt8(number / 10))
                #expect(try await desks.check(desks.desk(number), password: "wrong", device: device) == .wrong)
            }
            #expect(try await desks.check(desks.one, password: "wrong") == .wrong)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a flood on one account does not make others behind the same address wait`(_ backend: Backend) async throws {
        try await Desks.with(backend) { desks async throws in
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
        try await Desks.with(backend, change: one) { desks async throws in
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
        try await Desks.with(backend, passwords: passwords) { desks in
            let before = (desks.rigged.reads, desks.rigged.transactions)
            let verdict = try await passwords.queued { _ async throws in
                try await desks.check(desks.one, password: TestServer.password)
            }
            #expect(verdict == .busy)
            #expect(before == (desks.rigged.reads, desks.rigged.transactions))
            #expect(try await desks.check(desks.one, password: TestServer.password) == .signedIn)
        }
    }

    /// A company's database often finds an address however its letters are dressed up; that must not pass the count.
    @Test(arguments: Backend.allCases)
    func `L02: other spellings of one address count as that address`(_ backend: Backend) async throws {
        let emails = [
            "nobody@example.com", "NOBODY@example\u{FF61}com", "n\u{F3}body@example.com", "no\u{301}body@example.com",
            "\u{FF4E}obody@example.com", "no\u{200B}body@example.com", "nobody@example.com\u{A0}",
            "nob ody@example.com",
            "\u{1D427}obody@example.com", "nobody@ex\u{E4}mple.com",
        ]
        try await Desks.with(backend, hash: Desks.cheapHash) { desks async throws in
            for email in emails { #expect(try await desks.check(desks.one, email: email, password: "x") == .wrong) }
            for email in emails { #expect(try await desks.check(desks.two, email: email, password: "x") == .blocked) }
            #expect(try await desks.check(desks.one, email: "n0body@example.com", password: "x") == .wrong)
        }
    }
}
