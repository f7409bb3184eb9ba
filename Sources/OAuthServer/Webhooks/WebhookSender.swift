public import AsyncHTTPClient
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
public import OAuth
public import OAuthStore

/// Sends one event to the company's receiver, once.
public struct WebhookSender: Sendable {
    /// What the receiver made of it.
    public enum Outcome: Sendable, Equatable {
        /// It has it: any status from 200 to 299.
        case delivered(status: Int)
        /// It wants no more of this: 410.
        case gone
        /// It did not take it, or did not answer; `retryAfter` is what it asked for.
        case failed(status: Int?, reason: String, retryAfter: Duration?)
    }

    private let target: WebhookTarget
    private let client: HTTPClient
    private let now: @Sendable () -> Instant

    /// How long an attempt may take until the status is there.
    static let deadline = TimeAmount.seconds(15)

    /// Makes a sender; `client` must follow no redirects.
    public init(target: WebhookTarget, client: HTTPClient, now: @escaping @Sendable () -> Instant) {
        self.target = target
        self.client = client
        self.now = now
    }

    /// A client that follows no redirects and keeps few connections.
    public static func makeClient() -> HTTPClient {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.timeout.connect = .seconds(5)
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 8
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// Sends a body under an id.
    public func send(id: WebhookEventID, body: String) async -> Outcome {
        let timestamp = now().seconds
        var request = HTTPClientRequest(url: target.url)
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/json")
        request.headers.add(name: "user-agent", value: "Latchkey")
        request.headers.add(name: "webhook-id", value: id.description)
        request.headers.add(name: "webhook-timestamp", value: String(timestamp))
        request.headers.add(
            name: "webhook-signature",
            value: target.signature(id: id.description, timestamp: timestamp, body: body)
        )
        request.body = .bytes(ByteBuffer(string: body))
        do {
            let response = try await client.execute(request, deadline: .now() + Self.deadline)
            let status = Int(response.status.code)
            await Self.drain(response.body)
            switch status {
            case 200...299: return .delivered(status: status)
            case 410: return .gone
            case 300...399:
                return .failed(status: status, reason: "a redirect, which is not followed", retryAfter: nil)
            default:
                let wait = response.headers.first(name: "retry-after").flatMap { Int64($0) }
                return .failed(
                    status: status,
                    reason: "the receiver answered with status \(status)",
                    retryAfter: wait.map { .seconds(min(max($0, 0), 3600)) }
                )
            }
        } catch {
            return .failed(status: nil, reason: Self.sentence(error), retryAfter: nil)
        }
    }

    /// Reads a little of an answer's body, which is of no interest, so that the connection lives on.
    ///
    /// The client's own deadline ends with the head: a body that does not come must hold up no other event.
    private static func drain(_ body: HTTPClientResponse.Body) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { _ = try? await body.collect(upTo: 16 * 1024) }
            group.addTask { try? await Task.sleep(for: .seconds(2)) }
            await group.next()
            group.cancelAll()
        }
    }

    /// What went wrong on the way, without the URL: that may hold a secret.
    private static func sentence(_ error: any Error) -> String {
        switch error {
        case let error as HTTPClientError:
            switch error {
            case .deadlineExceeded, .readTimeout: "no answer within 15 seconds"
            case .connectTimeout: "no connection within 5 seconds"
            default: "the connection failed: \(error.shortDescription)"
            }
        case let error as NIOConnectionError where error.connectionErrors.isEmpty: "the receiver's name was not found"
        case let error as IOError where [ECONNRESET, EPIPE].contains(error.errnoCode):
            "the receiver ended the connection without an answer"
        case is NIOConnectionError, is IOError: "no connection to the receiver: nobody answers at its address"
        // A certificate that is not trusted is such an error.
        default: "the connection failed: \(type(of: error))"
        }
    }
}
