/// What a node gathers of refusals and counts: bounded, never in the request.
import OAuth
import OAuthStore
import Testing

@testable import OAuthServer

@Suite struct `What a node gathers` {
    private static func item(_ client: String) throws -> RefusalQueue.Item {
        let refusal = Refusal(
            client: try #require(ClientID(client)),
            at: Instant(seconds: 0),
            endpoint: "token",
            requestID: "1",
            error: "invalid_grant",
            description: "x",
            status: 400,
            parameter: nil,
            expected: nil,
            got: nil,
            connection: nil
        )
        return RefusalQueue.Item(refusal: refusal, presented: nil)
    }

    @Test func `one client's flood of refusals is dropped, and pushes no other out`() throws {
        let queue = RefusalQueue()
        let taken = try (0..<1000).map { _ in queue.note(try Self.item("flood")) }
        #expect(taken.count { $0 } == RefusalQueue.perClient)
        #expect(queue.note(try Self.item("other")))
        #expect(queue.take().count == RefusalQueue.perClient + 1)
        #expect(queue.take().isEmpty)
    }

    @Test func `a flood of clients is bounded too`() throws {
        let queue = RefusalQueue()
        let taken = try (0..<RefusalQueue.clients + 10).map { queue.note(try Self.item("c\($0)")) }
        #expect(taken.count { $0 } == RefusalQueue.clients)
    }

    @Test func `counts that could not be written are not lost`() throws {
        let counters = HourCounters()
        let client = try #require(ClientID("a"))
        let now = Instant(seconds: 7201)
        counters.add(.refused("invalid_grant"), of: client, at: now)
        let taken = counters.take()
        counters.add(.refused("invalid_grant"), of: client, at: now)
        counters.putBack(taken)
        #expect(
            counters.take() == [
                Count(hour: Instant(seconds: 7200), client: client, name: "refused:invalid_grant", value: 2)
            ]
        )
    }
}
