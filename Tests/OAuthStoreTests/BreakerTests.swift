/// When a database that says nothing counts as dead, and when it is only slow.
import OAuthStore
import Testing

@testable import OAuthPostgres

@Suite struct `PostgreSQL: the breaker` {
    private static let hasty = Deadlines(connect: .milliseconds(100), statement: .milliseconds(400))
    /// So patient that a busy machine makes no difference.
    private static let patient = Deadlines(connect: .seconds(60), statement: .seconds(600))

    /// A breaker before a server that accepts nobody.
    private static func breaker(_ server: SilentServer, _ deadlines: Deadlines) throws -> Breaker {
        let url = "postgres://nobody@127.0.0.1:\(server.port)/nothing"
        return Breaker(try Servers(url: url, deadlines: deadlines), deadlines)
    }

    @Test func `F5: failures count only when nobody was answered while they came about`() throws {
        let server = try SilentServer()
        let breaker = try Self.breaker(server, Self.patient)
        for _ in 0..<20 {
            let before = breaker.answered
            breaker.noteAnswer()
            breaker.noteFailure(.unavailable("somebody else was answered"), since: before, began: .now)
        }
        #expect(breaker.refusal == nil)
        for _ in 1..<Breaker.threshold {
            breaker.noteFailure(.unavailable("nobody was"), since: breaker.answered, began: .now)
        }
        breaker.noteAnswer()
        for _ in 1..<Breaker.threshold {
            breaker.noteFailure(.unavailable("nobody was"), since: breaker.answered, began: .now)
        }
        #expect(breaker.refusal == nil, "an answer between failures begins the row anew")
        breaker.noteFailure(.unavailable("nobody was"), since: breaker.answered, began: .now)
        #expect(breaker.refusal == .unavailable("nobody was"))
        breaker.end()
    }

    @Test func `F5: many who meet silence at once are one silence`() throws {
        let server = try SilentServer()
        let breaker = try Self.breaker(server, Self.patient)
        let began = ContinuousClock.now - Self.patient.connect
        for _ in 0..<20 {
            breaker.noteFailure(.unavailable("no server answers"), since: breaker.answered, began: began)
        }
        #expect(breaker.refusal == nil)
        let (before, earlier) = (breaker.answered, ContinuousClock.now - Self.patient.patience)
        for _ in 0..<20 { breaker.noteFailure(.unavailable("no server answers"), since: before, began: earlier) }
        #expect(breaker.refusal == nil, "the first one of the row says since when it has been silent")
        breaker.noteAnswer()
        for _ in 0..<Breaker.threshold {
            breaker.noteFailure(.unavailable("none"), since: breaker.answered, began: earlier)
        }
        #expect(breaker.refusal == .unavailable("none"))
        breaker.end()
    }

    @Test func `F5: a statement that is silent is given up when no server accepts and nobody is answered`() throws {
        let server = try SilentServer()
        let breaker = try Self.breaker(server, Self.hasty)
        let sentAt = ContinuousClock.now
        while !breaker.givesUp(on: 0, silentSince: sentAt) {
            try #require(ContinuousClock.now - sentAt < .seconds(60))
        }
        #expect(breaker.refusal != nil)
        #expect(ContinuousClock.now - sentAt >= Self.hasty.patience)
        breaker.end()
    }

    @Test func `F5: a server that nobody can connect to in time is not dead while it answers others`() throws {
        let server = try SilentServer()
        let breaker = try Self.breaker(server, Deadlines(connect: .seconds(1), statement: .seconds(2)))
        let sentAt = ContinuousClock.now
        // Long enough for several probes, each of which fails.
        while ContinuousClock.now - sentAt < .seconds(5) {
            breaker.noteAnswer()
            try #require(!breaker.givesUp(on: 0, silentSince: sentAt))
        }
        #expect(breaker.refusal == nil)
        breaker.end()
    }

    @Test func `F5: a statement is asked about after half of its deadline, and the answer comes before its end`() {
        let usual = Deadlines(connect: .seconds(1), statement: .seconds(3))
        #expect(usual.patience == .milliseconds(1500))
        #expect(usual.patience + usual.connect < usual.statement)
        #expect(Deadlines(connect: .seconds(5), statement: .seconds(20)).patience == .seconds(10))
    }
}
