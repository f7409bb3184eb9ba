/// Metrics and security events: the text format, the table of names, and that one observation feeds log and counter alike.
import Hummingbird
import Logging
import OAuth
import OAuthStore
import Synchronization
import TestBackends
import Testing

@testable import OAuthServer

@Suite struct `Metrics and events` {
    @Test func `a histogram's buckets are cumulative and end with all`() {
        let histogram = Histogram()
        for nanoseconds: UInt64 in [0, 500_000, 500_001, 3_000_000, 11_000_000_000] { histogram.note(nanoseconds) }
        var page = Exposition()
        page.histogram(.requestDuration, [("endpoint", "/x")], histogram)
        let lines = page.text.split(separator: "\n").map(String.init)
        let name = Family.requestDuration.rawValue
        #expect(
            Array(lines.prefix(4)) == [
                #"\#(name)_bucket{endpoint="/x",le="0.0005"} 2"#, #"\#(name)_bucket{endpoint="/x",le="0.001"} 3"#,
                #"\#(name)_bucket{endpoint="/x",le="0.0025"} 3"#, #"\#(name)_bucket{endpoint="/x",le="0.005"} 4"#,
            ]
        )
        #expect(
            Array(lines.suffix(4)) == [
                #"\#(name)_bucket{endpoint="/x",le="10"} 4"#, #"\#(name)_bucket{endpoint="/x",le="+Inf"} 5"#,
                #"\#(name)_sum{endpoint="/x"} 11.004000001"#, #"\#(name)_count{endpoint="/x"} 5"#,
            ]
        )
        #expect(lines.count == Histogram.bounds.count + 3)
    }

    @Test func `labels and help texts are escaped as the format wants it`() {
        #expect(Exposition.escaped("a\\b\"c\nd", quotes: true) == #"a\\b\"c\nd"#)
        #expect(Exposition.escaped("a\\b\"c\nd", quotes: false) == #"a\\b"c\nd"#)
        // Escaped by scalar: a mark behind the quotation mark makes it another character, but no other byte.
        #expect(Exposition.escaped("\"\u{301}", quotes: true) == "\\\"\u{301}")
    }

    @Test func `numbers are written so that they can be read back`() {
        #expect(
            [0, 1, -2, 0.5, 1e-7, 1.5e300, .infinity, -.infinity].map(Exposition.written)
                == ["0", "1", "-2", "0.5", "1e-07", "1.5e+300", "+Inf", "-Inf"]
        )
        #expect(Exposition.written(.nan) == "NaN")
    }

    @Test(arguments: Backend.allCases)
    func `every name of the table is served once, with its help and its type`(backend: Backend) async throws {
        try await backend.withServer { server in
            let lines = server.provider.metricsText().split(separator: "\n").map(String.init)
            for family in Family.allCases {
                #expect(lines.count { $0 == "# HELP \(family.rawValue) \(family.help)" } == 1, "\(family)")
                #expect(lines.count { $0 == "# TYPE \(family.rawValue) \(family.kind.rawValue)" } == 1, "\(family)")
            }
            #expect(lines.count { $0.hasPrefix("# ") } == 2 * Family.allCases.count)
            #expect(Set(lines).count == lines.count)
        }
    }

    @Test(arguments: Backend.allCases)
    func `F5: a commit in doubt and a database that is away are events, and counted by kind`(backend: Backend)
        async throws
    {
        try await backend.withServer { server in
            let metrics = server.provider.metrics
            let code = try await server.code(TestBrowser(server))
            server.rigged.failTransactions(.inDoubt("the line was cut"))
            #expect(try await server.redeem(code).status == 503)
            // The ledger may have tried again before it gave up: each commit in doubt is told.
            let doubts = metrics.count(of: .inDoubt)
            #expect(doubts >= 1)
            #expect(metrics.count(of: .unavailable) == 1)
            server.rigged.fail(.unavailable("nobody answers"))
            #expect(try await server.redeem(code).status == 503)
            #expect(metrics.count(of: .unavailable) == 2)
            server.rigged.fail(.invalid("a column is missing"))
            #expect(try await server.redeem(code).status == 500)
            #expect(metrics.count(of: .database) == 1)
            server.rigged.fail(nil)
            let text = server.provider.metricsText()
            #expect(text.contains(#"latchkey_database_faults_total{kind="in_doubt"} \#(doubts)"#))
            #expect(text.contains(#"latchkey_database_faults_total{kind="unavailable"} 1"#))
            #expect(text.contains(#"latchkey_database_faults_total{kind="invalid"} 1"#))
            #expect(
                text.contains(
                    #"latchkey_token_grants_total{grant="authorization_code",outcome="temporarily_unavailable"} 2"#
                )
            )
        }
    }

    @Test func `an event is one line under its name, and one more in its counter, whatever the level`() {
        let told = Told()
        let metrics = Metrics()
        var logger = Logger(label: "test") { _ in told }
        metrics.tell(.fault, "a fault of the server: x", .error, ["event": "forged", "peer": "y"], to: logger)
        #expect(told.lines == ["error a fault of the server: x event=fault peer=y"])
        logger.logLevel = .critical
        metrics.tell(.fault, "another", .error, to: logger)
        #expect(told.lines.count == 1)
        #expect(metrics.count(of: .fault) == 2)
    }

    @Test func `F5: of equal 503s the first is a line, and the others a number every ten seconds`() {
        let told = Told()
        let metrics = Metrics()
        let logger = Logger(label: "test") { _ in told }
        let second: UInt64 = 1_000_000_000
        for number in 0..<1000 {
            metrics.tellOfStorm(.unavailable, number.isMultiple(of: 2) ? "a" : "b", at: 5 * second, to: logger)
        }
        metrics.tellStorm(at: 14 * second, to: logger)
        #expect(told.lines == ["error a event=unavailable", "error b event=unavailable"])
        metrics.tellStorm(at: 15 * second, to: logger)
        #expect(
            told.lines.suffix(2) == [
                "error 499 more: a event=unavailable times=499", "error 499 more: b event=unavailable times=499",
            ]
        )
        metrics.tellOfStorm(.unavailable, "b", at: 16 * second, to: logger)
        #expect(told.lines.count == 4, "the storm goes on")
        metrics.tellStorm(at: .max, to: logger)
        #expect(told.lines.suffix(1) == ["error 1 more: b event=unavailable times=1"], "the end of the server")
        #expect(metrics.count(of: .unavailable) == 1001)
    }

    @Test func `F5: what was silent for ten seconds is told as new, and the log is bounded whatever is said`() {
        let storm = Storm()
        #expect(storm.isFirst(.unavailable, "a", at: 0))
        #expect(!storm.isFirst(.unavailable, "a", at: 1))
        #expect(storm.take(at: Storm.pace).map { $0.count } == [1])
        #expect(storm.take(at: 2 * Storm.pace).isEmpty)
        #expect(storm.isFirst(.unavailable, "a", at: 2 * Storm.pace))
        let firsts = (0..<1000).count { storm.isFirst(.unavailable, "reason \($0)", at: 2 * Storm.pace) }
        #expect(firsts == Storm.limit - 1)
        #expect(storm.take(at: 3 * Storm.pace).map { $0.count } == [1000 - firsts])
    }

    @Test func `the names of events are what alert rules are written against`() {
        #expect(
            SecurityEvent.allCases.map(\.rawValue) == [
                "code_replay", "token_reuse", "client_lockout", "token_guessing", "sign_in_failed", "lockout",
                "sign_in_busy", "password_changed", "login_endpoint", "operator_signed_in", "operator_sign_in_failed",
                "operator_lockout", "key_rotated", "untrusted_proxy", "metrics_refused", "unavailable", "in_doubt",
                "unnoted",
                "hazard", "database", "stale", "clock_leap", "fault", "webhook_given_up",
            ]
        )
    }

    @Test func `a request's id and trace are taken only when they are well-formed`() {
        for good in ["abcdefgh", "0123456789abcdef-._AZ", String(repeating: "a", count: 64)] {
            #expect(RequestNames.isRequestID(good), "\(good)")
        }
        for bad in [
            "", "abcdefg", String(repeating: "a", count: 65), "abc defgh", "abc\"defgh", "äbcdefgh", "abcdefg\n",
        ] {
            #expect(!RequestNames.isRequestID(bad), "\(bad)")
        }
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
        #expect(TraceIdentity("00-\(trace)-00f067aa0ba902b7-01")?.trace == trace)
        #expect(TraceIdentity("cc-\(trace)-00f067aa0ba902b7-00-later")?.isSampled == false)
        for bad in [
            "", trace, "00-\(trace)-00f067aa0ba902b7", "ff-\(trace)-00f067aa0ba902b7-01",
            "00-\(trace)-00f067aa0ba902b7-01-more", "00-\(trace.uppercased())-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01", "00-\(trace)-0000000000000000-01",
        ] {
            #expect(TraceIdentity(bad) == nil, "\(bad)")
        }
    }

    @Test func `wrong secrets are told of once a minute, not once a try`() throws {
        let failures = ClientFailures(limit: 2)
        let start = Instant(seconds: 1_000_000)
        let client = try #require(ClientID("s6BhdRkqt3"))
        let firsts = (0..<6).map { failures.count(client, at: start + .seconds($0))?.isFirst }
        #expect(firsts == [nil, nil, true, false, false, false])
        #expect(failures.count(client, at: start + .minutes(2)) == nil)
    }
}

/// A log that a test can read.
private struct Told: LogHandler {
    private final class Lines: Sendable {
        let kept = Mutex<[String]>([])
    }

    private let told = Lines()
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    var lines: [String] { told.kept.withLock { $0 } }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let metadata = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
        told.kept.withLock { $0.append("\(event.level) \(event.message)\(metadata)") }
    }
}
