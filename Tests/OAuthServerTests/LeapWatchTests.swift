/// F8: what is deleted by its age is not deleted by a clock that has leapt ahead.
import OAuth
import OAuthStore
import TestBackends
import Testing

@testable import OAuthServer

@Suite struct `Sweep: a clock that leaps` {
    private static let start = Instant(seconds: 1_618_354_090)

    /// The verdict when the clocks have gone on by so much since the start.
    private static func judge(_ watch: LeapWatch, ledger: Duration, machine: Duration) -> LeapWatch.Verdict {
        watch.judge(start + ledger, at: 7_000_000_000 + UInt64(machine.milliseconds) * 1_000_000)
    }

    private static func watch() -> LeapWatch { LeapWatch(start, at: 7_000_000_000) }

    @Test func `a clock that keeps pace, is set back, or gains an hour at most is believed`() {
        let watch = Self.watch()
        #expect(Self.judge(watch, ledger: .seconds(10), machine: .seconds(10)) == .good)
        #expect(Self.judge(watch, ledger: .hours(1), machine: .seconds(20)) == .good)
        // It is measured from the last look.
        #expect(Self.judge(watch, ledger: .hours(2), machine: .seconds(30)) == .good)
        #expect(Self.judge(watch, ledger: .hours(-30), machine: .seconds(40)) == .good)
        #expect(Self.judge(watch, ledger: .hours(700), machine: .hours(740)) == .good)
    }

    @Test func `a clock that has leapt is told of once, and believed when it is back`() {
        let (watch, ahead) = (Self.watch(), Duration.hours(26))
        #expect(Self.judge(watch, ledger: ahead + .seconds(10), machine: .seconds(10)) == .leapt(ahead))
        #expect(Self.judge(watch, ledger: ahead + .seconds(20), machine: .seconds(20)) == .doubtful)
        #expect(Self.judge(watch, ledger: .seconds(30), machine: .seconds(30)) == .good)
        #expect(Self.judge(watch, ledger: ahead + .seconds(40), machine: .seconds(40)) == .leapt(ahead))
    }

    @Test func `a clock that was behind for a while and is right again has not leapt`() {
        let watch = Self.watch()
        #expect(Self.judge(watch, ledger: .hours(-2), machine: .seconds(10)) == .good)
        #expect(Self.judge(watch, ledger: .hours(-2) + .seconds(10), machine: .seconds(20)) == .good)
        #expect(Self.judge(watch, ledger: .seconds(30), machine: .seconds(30)) == .good)
        #expect(Self.judge(watch, ledger: .hours(2), machine: .seconds(40)) != .good)
    }

    @Test func `a clock that has leapt and held is believed, and one that leaps again begins anew`() {
        let (watch, held, moment) = (Self.watch(), LeapWatch.probation, Duration.milliseconds(1))
        let (ahead, further) = (Duration.days(40), Duration.days(80))
        #expect(Self.judge(watch, ledger: ahead, machine: .zero) == .leapt(ahead))
        #expect(Self.judge(watch, ledger: ahead + held - moment, machine: held - moment) == .doubtful)
        #expect(Self.judge(watch, ledger: further + held, machine: held) == .leapt(further))
        #expect(Self.judge(watch, ledger: further + held + held, machine: held + held) == .good)
        #expect(Self.judge(watch, ledger: further + held + held, machine: held + held) == .good)
    }

    @Test(arguments: Backend.allCases)
    func `an access token that was revoked stays so when the clock was days ahead for a while`(_ backend: Backend)
        async throws
    {
        try await backend.withServer { server in
            let metrics = server.provider.node.trail.metrics
            let background = server.provider.background(logger: TestServer.quiet)
            let access = try await server.redeem(try await server.code(TestBrowser(server))).member("access_token")
            #expect(try await server.post("/oauth/revoke", ["token": access]).status == 200)
            await background.sweep()
            #expect(metrics.sweeps[.done].value == 1)
            server.clock.advance(.hours(26))
            for _ in 0..<2 { await background.sweep() }
            #expect(metrics.sweeps[.done].value == 1)
            #expect(metrics.count(of: .clockLeap) == 1)
            server.clock.advance(.hours(-26))
            #expect(try await server.isActive(access) == false)
            await background.sweep()
            #expect(metrics.sweeps[.done].value == 2)
            #expect(metrics.count(of: .clockLeap) == 1)
            #expect(try await server.isActive(access) == false)
        }
    }
}
