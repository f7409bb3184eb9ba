public import FoundationEssentials
import Synchronization

/// Carries a webhook's body to its URL, and waits between two tries.
public struct WebhookCourier: Sendable {
    /// Sends a body as JSON with some headers of the receiver's, and says with which status it was answered.
    public typealias Deliver = @Sendable (_ url: String, _ headers: [String: String], _ body: Data) async throws -> Int

    let deliver: Deliver
    let wait: @Sendable (Duration) async throws -> Void

    /// Makes a courier.
    ///
    /// - Parameters:
    ///   - wait: how to wait between two tries.
    ///   - deliver: how to send.
    public init(
        wait: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) },
        deliver: @escaping Deliver
    ) {
        self.wait = wait
        self.deliver = deliver
    }
}

/// What happened to a device, in the form of the locks' current guide.
struct DeviceEvent: Sendable, Encodable {
    let event_type: String
    let device_id: String?
    var action_id: String?
    var custom_id: String?
    var action: String?
    var access_code_id: String?
    var code: String?
    var starts_at: Date?
    var ends_at: Date?
    var status: String?
    var performed_via: String?
    var error_code: String?
    var message: String?
    let timestamp: Date

    init(_ type: String, device: String?, at timestamp: Date) {
        event_type = type
        device_id = device
        self.timestamp = timestamp
    }
}

/// The registered webhooks and what is on its way to them: in order, unchanged, tried again for a day.
final class SampleWebhooks: Sendable {
    private struct Webhook {
        let id: String
        let owner: String?
        let url: String
        var events: Set<String>?
        var headers: [String: String]
        /// What is yet to be delivered, the oldest first.
        var queue: [(body: Data, at: Date)] = []
        var isUnderWay = false
    }

    private let webhooks = Mutex<[Webhook]>([])
    private let courier: WebhookCourier?
    private let now: @Sendable () -> Date

    private static let webhookLimit = 100
    private static let queueLimit = 1000
    private static let patience: TimeInterval = 25 * 3600
    private static let longestWait = Duration.seconds(3600)

    init(courier: WebhookCourier?, now: @escaping @Sendable () -> Date) {
        self.courier = courier
        self.now = now
    }

    /// Whether events may be sent to a URL: by https, or by http to this machine.
    static func accepts(_ text: String) -> Bool {
        guard text.utf8.count <= 2000, let url = URL(string: text), let host = url.host(), url.user == nil else {
            return false
        }
        return url.scheme == "https"
            || url.scheme == "http" && ["127.0.0.1", "localhost", "::1", "[::1]"].contains(host)
    }

    /// Whether deliveries may carry these headers: a few, of the receiver's own, such as a secret that both know.
    static func accepts(_ headers: [String: String]) -> Bool {
        headers.count <= 5
            && headers.allSatisfy { name, value in
                name.lowercased().hasPrefix("x-") && (3...60).contains(name.utf8.count)
                    && name.utf8.allSatisfy { $0 == UInt8(ascii: "-") || $0.isLetterOrDigit }
                    && (1...200).contains(value.utf8.count) && value.utf8.allSatisfy { (0x21...0x7E).contains($0) }
            }
    }

    /// Registers a URL, or changes what an earlier registration of the same one wants.
    ///
    /// - Parameters:
    ///   - url: where to.
    ///   - events: which kinds of events; nil for all.
    ///   - headers: what each delivery carries besides.
    ///   - owner: the client whose it is; nil for the company itself.
    /// - Returns: its id; nil when there are too many.
    func register(_ url: String, events: [String]?, headers: [String: String], of owner: String?) -> String? {
        webhooks.withLock { webhooks in
            if let index = webhooks.firstIndex(where: { $0.url == url && $0.owner == owner }) {
                webhooks[index].events = events.map { Set($0) }
                webhooks[index].headers = headers
                return webhooks[index].id
            }
            guard webhooks.count < Self.webhookLimit else { return nil }
            let id = "wh_\(UInt64.random(in: .min ... .max))"
            webhooks.append(
                Webhook(id: id, owner: owner, url: url, events: events.map { Set($0) }, headers: headers)
            )
            return id
        }
    }

    /// Waits for something to be over; false when there is nobody to tell it to.
    func canTell(after time: Duration) async -> Bool {
        guard let courier, webhooks.withLock({ !$0.isEmpty }) else { return false }
        return (try? await courier.wait(time)) != nil
    }

    /// Tells what happened to a device.
    func tell(_ event: DeviceEvent, to client: String?) {
        tell(event.event_type, event, to: client)
    }

    /// Tells an event to the webhooks of a client and to the company's own.
    func tell(_ type: String, _ event: some Encodable, to client: String?) {
        guard let courier, let body = try? Self.encoder.encode(event) else { return }
        let woken = webhooks.withLock { webhooks -> [String] in
            var woken: [String] = []
            for index in webhooks.indices {
                let webhook = webhooks[index]
                guard webhook.owner == nil || webhook.owner == client, webhook.queue.count < Self.queueLimit,
                    webhook.events?.contains(type) ?? true
                else { continue }
                webhooks[index].queue.append((body, now()))
                guard !webhook.isUnderWay else { continue }
                webhooks[index].isUnderWay = true
                woken.append(webhook.id)
            }
            return woken
        }
        for id in woken { Task { await empty(id, courier) } }
    }

    /// Delivers what waits for a webhook, one after the other: the next goes only when the one before has arrived.
    private func empty(_ id: String, _ courier: WebhookCourier) async {
        var tries = 0
        while let (hook, next) = next(for: id) {
            let status = try? await courier.deliver(hook.url, hook.headers, next.body)
            if (200..<300).contains(status ?? 0) || now().timeIntervalSince(next.at) > Self.patience {
                tries = 0
                webhooks.withLock { webhooks in
                    guard let index = webhooks.firstIndex(where: { $0.id == id }) else { return }
                    webhooks[index].queue.removeFirst()
                }
            } else {
                let wait = min(Duration.seconds(1) * (1 << min(tries, 12)), Self.longestWait)
                tries += 1
                guard (try? await courier.wait(wait)) != nil else { return }
            }
        }
    }

    private func next(for id: String) -> (Webhook, (body: Data, at: Date))? {
        webhooks.withLock { webhooks in
            guard let index = webhooks.firstIndex(where: { $0.id == id }) else { return nil }
            guard let first = webhooks[index].queue.first else {
                webhooks[index].isUnderWay = false
                return nil
            }
            return (webhooks[index], first)
        }
    }

    private static var encoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .iso8601
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }
}

extension UInt8 {
    fileprivate var isLetterOrDigit: Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self)
            || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20)
    }
}
