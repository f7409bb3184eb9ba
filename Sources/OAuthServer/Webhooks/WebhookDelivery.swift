public import AsyncHTTPClient
public import Logging
import OAuth
public import OAuthStore
public import ServiceLifecycle

/// Delivers the outbox: claims what is due, sends it, and notes what became of it.
public struct WebhookDelivery: Service {
    private let store: Store
    private let sender: WebhookSender
    private let ambient: Ambient
    private let metrics: Metrics
    private let logger: Logger

    /// How often the outbox is looked at when there is nothing to do.
    private static let pace = Duration.seconds(1)
    /// How many events are sent at a time.
    private static let batch: Int64 = 8
    /// How long nobody else tries a claimed event: well over the deadline of an attempt.
    private static let lease = Duration.seconds(60)

    /// Makes the delivery of a server.
    public init(
        store: Store,
        target: WebhookTarget,
        client: HTTPClient,
        ambient: Ambient,
        metrics: Metrics = Metrics(),
        logger: Logger
    ) {
        self.store = store
        self.ambient = ambient
        self.metrics = metrics
        self.logger = logger
        sender = WebhookSender(target: target, client: client, now: ambient.now)
    }

    /// Delivers until the server shuts down; an attempt that is cut off is made again after its lease.
    public func run() async throws {
        await cancelWhenGracefulShutdown {
            var isReadable = true
            while !Task.isCancelled {
                var count: Int64 = 0
                do throws(SQLError) {
                    count = try await round()
                    isReadable = true
                } catch {
                    // Once: while the database is away, it is so every second.
                    if isReadable { logger.warning("the outbox of webhooks cannot be read for now: \(error)") }
                    isReadable = false
                }
                if count < Self.batch { try? await Task.sleep(for: Self.pace) }
            }
        }
    }

    /// Delivers what is due now.
    /// - Returns: how many events were claimed.
    private func round() async throws(SQLError) -> Int64 {
        let events = try await store.claimWebhooks(now: ambient.now(), lease: Self.lease, limit: Self.batch)
        await withTaskGroup(of: Void.self) { group in
            for event in events { group.addTask { await deliver(event) } }
        }
        return Int64(events.count)
    }

    private func deliver(_ event: WebhookEvent) async {
        let outcome = await sender.send(id: event.id, body: event.body)
        guard !Task.isCancelled || outcome.isDelivered else { return }  // the lease ends, and somebody tries again
        let now = ambient.now()
        let attempt = attempt(outcome, event, now)
        tell(attempt, event)
        do {
            try await store.settle(event, as: attempt, now: now)
        } catch {
            logger.warning("what became of a webhook could not be noted; it will be sent again: \(error)")
        }
    }

    private func attempt(_ outcome: WebhookSender.Outcome, _ event: WebhookEvent, _ now: Instant) -> WebhookAttempt {
        switch outcome {
        case .delivered(let status):
            return .delivered(status: Int64(status))
        case .gone:
            return .givenUp(status: 410, reason: "the receiver answered that it is gone")
        case .failed(let status, let reason, let retryAfter):
            let jitter = Double(ambient.random(1).first ?? 128) / 255
            guard let next = WebhookBackoff.next(after: event, retryAfter: retryAfter, now: now, jitter: jitter) else {
                return .givenUp(status: status.map(Int64.init), reason: reason)
            }
            return .failed(status: status.map(Int64.init), reason: reason, next: next)
        }
    }

    private func tell(_ attempt: WebhookAttempt, _ event: WebhookEvent) {
        let metadata: Logger.Metadata = ["webhook": "\(event.id)", "type": "\(event.type)"]
        switch attempt {
        case .delivered:
            metrics.webhookAttempts[.delivered].add()
            logger.debug("webhook delivered", metadata: metadata)
        case .failed(_, let reason, _):
            metrics.webhookAttempts[.failed].add()
            logger.info("webhook not delivered, and tried again: \(reason)", metadata: metadata)
        case .givenUp(_, let reason):
            metrics.webhookAttempts[.givenUp].add()
            metrics.tell(.webhookGivenUp, "webhook given up: \(reason)", .warning, metadata, to: logger)
        }
    }
}

extension WebhookSender.Outcome {
    fileprivate var isDelivered: Bool {
        if case .delivered = self { true } else { false }
    }
}
