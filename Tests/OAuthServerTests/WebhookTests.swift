/// Webhooks are signed as Standard Webhooks has it, and tried again with patience.
import OAuth
import OAuthStore
import Testing

@testable import OAuthServer

@Suite struct `Webhooks (Standard Webhooks)` {
    private static let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

    @Test func `the signature of the specification's example comes out`() throws {
        let target = try #require(WebhookTarget(url: "https://hooks.acme.example/in", secrets: [Self.secret]))
        let signature = target.signature(
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
            timestamp: 1_614_265_330,
            body: #"{"test": 2432232314}"#
        )
        #expect(signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
    }

    @Test func `every secret signs, and each is checked`() throws {
        let other = WebhookTarget.makeSecret(random: [UInt8](repeating: 7, count: 32))
        let target = try #require(WebhookTarget(url: "http://127.0.0.1:1/x", secrets: [Self.secret, other]))
        #expect(target.signature(id: "a", timestamp: 1, body: "{}").split(separator: " ").count == 2)
        for secret in ["", "whsec_", "whsec_AAAA", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_***"] {
            #expect(WebhookTarget(url: "https://hooks.acme.example/in", secrets: [secret]) == nil, "\(secret)")
        }
        #expect(WebhookTarget(url: "https://hooks.acme.example/in", secrets: []) == nil)
    }

    @Test(arguments: [
        "http://hooks.acme.example/in", "https://u:p@hooks.acme.example/", "https:///in", "ftp://127.0.0.1/",
        "https://hooks.acme.example/#x", "http://localhost.attacker.example/", "https://hooks acme/", "",
    ])
    func `only https, and http on loopback, may be a receiver`(_ url: String) {
        #expect(!WebhookTarget.isAllowed(url))
    }

    private static func event(attempts: Int64) throws -> WebhookEvent {
        WebhookEvent(
            number: 1,
            id: try #require(WebhookEventID(bytes: [UInt8](repeating: 1, count: 16))),
            type: "connection.created",
            connection: try #require(ConnectionID(bytes: [UInt8](repeating: 2, count: 16))),
            client: try #require(ClientID("a")),
            body: "{}",
            createdAt: Instant(seconds: 0),
            nextAt: Instant(seconds: 0),
            attempts: attempts,
            deliveredAt: nil,
            givenUpAt: nil,
            lastStatus: nil,
            lastError: nil
        )
    }

    @Test(arguments: [0.0, 0.5, 1.0])
    func `the waits grow, and end after three days`(_ jitter: Double) throws {
        var now = Instant(seconds: 0)
        var attempts: Int64 = 1
        var waits: [Duration] = []
        while let next = WebhookBackoff.next(
            after: try Self.event(attempts: attempts),
            retryAfter: nil,
            now: now,
            jitter: jitter
        ) {
            waits.append(next - now)
            now = next
            attempts += 1
        }
        #expect(now == Instant(seconds: 0) + .days(3))
        #expect((12...25).contains(attempts))
        #expect(waits.dropLast() == waits.dropLast().sorted()[...])
        #expect(waits[0] >= .seconds(4) && waits[0] <= .seconds(6))
    }

    @Test func `what the receiver asks for is heard`() throws {
        let event = try Self.event(attempts: 1)
        let next = WebhookBackoff.next(after: event, retryAfter: .minutes(5), now: event.createdAt, jitter: 0)
        #expect(next == event.createdAt + .minutes(5))
    }
}
