import AsyncHTTPClient
import Crypto
import FoundationEssentials
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import OAuth
import OAuthStore
import Synchronization

/// The company's own endpoint, which knows its customers' passwords (ADR 0012).
///
/// What is sent and what comes back is told to nobody: neither log nor error holds any of it.
final class LoginEndpoint: Sendable {
    private let url: RedirectURI
    private let options: LoginEndpointSettings.Options
    private let key: SymmetricKey
    private let client: HTTPClient
    private let queue: AdmissionQueue
    private let pauses = Mutex<[SecretDigest: Instant]>([:])

    /// What the endpoint said.
    enum Verdict: Sendable, Equatable {
        /// Who it is.
        case known(Store.ExternalAccount)
        /// The address or the password is wrong.
        case wrong
        /// The company has closed the account.
        case disabled
        /// It was asked, and wants to be left alone until then.
        case blocked(until: Instant)
        /// It said so before, and was not asked.
        case paused(until: Instant)
        /// Too many are being asked at this moment.
        case busy
        /// It did not say anything that can be used.
        case unavailable(reason: String)
    }

    /// The largest answer that is read, in bytes.
    private static let answerLimit = 64 * 1024
    /// How often a connection is tried that is refused before anything was sent.
    private static let tries = 4
    private static let pauseCapacity = 10_000

    init(_ settings: LoginEndpointSettings) {
        url = settings.url
        options = settings.options
        key = SymmetricKey(data: Array(settings.secret.reveal().utf8))
        queue = AdmissionQueue(limit: options.concurrency)
        var configuration = HTTPClient.Configuration()
        // A password is posted to the address that was configured, and to no other.
        configuration.redirectConfiguration = .disallow
        // What may be tried again is decided here.
        configuration.connectionPool.retryConnectionEstablishment = false
        // Sooner than servers do: one that closes a connection while a request is on its way would be a fault.
        configuration.connectionPool.idleTimeout = .seconds(1)
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = options.concurrency
        configuration.httpVersion = .http1Only
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    func shutDown() async {
        try? await client.shutdown()
    }

    /// Asks who somebody is.
    ///
    /// - Parameters:
    ///   - email: what the person typed.
    ///   - password: what the person typed.
    ///   - now: the time of the request.
    /// - Returns: what the endpoint said; that it said nothing is an answer too.
    func ask(email: String, password: Secret, now: Instant) async -> Verdict {
        let subject = SecretDigest(of: EmailAddress.key(of: email))
        if let until = pauses.withLock({ $0[subject] }), now < until { return .paused(until: until) }
        guard queue.enter() else { return .busy }
        defer { queue.leave() }
        do {
            let (status, wait, body) = try await post(email, password, now)
            switch status {
            case 200:
                return verdict(on: body)
            case 401, 403, 404, 422:
                return .wrong
            case 423:
                return .disabled
            case 429:
                let until = now + .seconds(min(max(wait ?? 30, 1), 3600))
                pauses.withLock { pauses in
                    if pauses.count >= Self.pauseCapacity { pauses.removeAll() }
                    pauses[subject] = until
                }
                return .blocked(until: until)
            default:
                return .unavailable(reason: "it answered with status \(status)")
            }
        } catch {
            return .unavailable(reason: Self.reason(of: error, options.deadline))
        }
    }

    // MARK: The request

    private typealias Answer = (status: UInt, retryAfter: Int64?, body: ByteBuffer)

    private func post(_ email: String, _ password: Secret, _ now: Instant) async throws -> Answer {
        let request = request(email, password, now)
        return try await withThrowingTaskGroup(of: Answer.self) { [client, options] group in
            group.addTask {
                for attempt in 1... {
                    do {
                        return try await Self.send(request, by: client, within: options.deadline)
                    } catch  where attempt < Self.tries && Self.isRefusal(error) {
                        // Refused: nothing was sent, so trying again can do nothing twice.
                        try await Task.sleep(for: .milliseconds(100 * attempt))
                    }
                }
                throw CancellationError()
            }
            // The client's own deadline does not count the time that a body takes.
            group.addTask {
                try await Task.sleep(for: options.deadline)
                throw HTTPClientError.deadlineExceeded
            }
            defer { group.cancelAll() }
            guard let answer = try await group.next() else { throw CancellationError() }
            return answer
        }
    }

    private static func isRefusal(_ error: any Error) -> Bool {
        error is NIOConnectionError || (error as? IOError)?.errnoCode == ECONNREFUSED
    }

    private static func send(
        _ request: HTTPClientRequest,
        by client: HTTPClient,
        within deadline: Duration
    ) async throws -> Answer {
        let response = try await client.execute(request, timeout: .milliseconds(deadline.milliseconds))
        let wait = response.headers.first(name: "retry-after").flatMap { Int64($0) }
        return (response.status.code, wait, try await response.body.collect(upTo: answerLimit))
    }

    private func request(_ email: String, _ password: Secret, _ now: Instant) -> HTTPClientRequest {
        var writer = JSONWriter()
        writer.member(named: options.emailMember, email)
        writer.member(named: options.passwordMember, password.reveal())
        let body = writer.finish()
        let timestamp = "\(now.seconds)"
        let code = HMAC<SHA256>.authenticationCode(for: Array(timestamp.utf8) + [UInt8(ascii: ".")] + body, using: key)
        var request = HTTPClientRequest(url: url.text)
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/json")
        request.headers.add(name: "accept", value: "application/json")
        request.headers.add(name: "user-agent", value: "Latchkey")
        request.headers.add(name: "latchkey-timestamp", value: timestamp)
        request.headers.add(name: "latchkey-signature", value: "sha256=" + Hexadecimal.encode(code))
        request.body = .bytes(ByteBuffer(bytes: body))
        return request
    }

    // MARK: The answer

    private func verdict(on body: ByteBuffer) -> Verdict {
        guard let answer = try? JSONDecoder().decode(LoginAnswer.self, from: Data(body.readableBytesView)) else {
            return .unavailable(reason: "its answer is not a JSON object")
        }
        guard let id = answer.text(at: options.idPath), Self.isPlain(id, upTo: 255) else {
            return .unavailable(reason: "its answer has no usable id in '\(options.idPath)'")
        }
        guard let email = answer.text(at: options.emailPath), Self.isPlain(email, upTo: EmailAddress.limit),
            email.contains("@")
        else {
            return .unavailable(reason: "its answer has no usable e-mail address in '\(options.emailPath)'")
        }
        let name = answer.text(at: options.namePath).flatMap { Self.isPlain($0, upTo: 400) ? $0 : nil }
        return .known(Store.ExternalAccount(source: .loginEndpoint, externalID: id, email: email, name: name))
    }

    private static func isPlain(_ text: String, upTo limit: Int) -> Bool {
        (1...limit).contains(text.utf8.count)
            && !text.unicodeScalars.contains { $0.properties.generalCategory == .control }
    }

    /// What went wrong, without anything that was sent or received.
    private static func reason(of error: any Error, _ deadline: Duration) -> String {
        switch error {
        case _ where isRefusal(error): "no connection could be made"
        case let error as HTTPClientError
        where [.deadlineExceeded, .connectTimeout, .readTimeout, .cancelled].contains(error):
            "it did not answer within \(deadline.milliseconds) ms"
        case let error as HTTPClientError: "the request failed (\(error.shortDescription))"
        case is NIOTooManyBytesError: "its answer is larger than \(answerLimit) bytes"
        default: "the request failed (\(type(of: error)))"
        }
    }
}

/// An answer's JSON, of which any member may be asked.
private indirect enum LoginAnswer: Decodable {
    case text(String)
    case object([String: LoginAnswer])
    case other

    init(from decoder: any Decoder) throws {
        if let members = try? decoder.container(keyedBy: Name.self) {
            var object: [String: LoginAnswer] = [:]
            for key in members.allKeys { object[key.stringValue] = try members.decode(LoginAnswer.self, forKey: key) }
            self = .object(object)
            return
        }
        let value = try decoder.singleValueContainer()
        if let text = try? value.decode(String.self) {
            self = .text(text)
        } else if (try? value.decode(Bool.self)) == nil, let number = try? value.decode(Int64.self) {
            // Many keep ids as numbers; whole ones are exact.
            self = .text("\(number)")
        } else {
            self = .other
        }
    }

    /// The text at a path such as `user.id`.
    func text(at path: String) -> String? {
        var value = self
        for name in path.split(separator: ".") {
            guard case .object(let members) = value, let member = members[String(name)] else { return nil }
            value = member
        }
        guard case .text(let text) = value else { return nil }
        return text
    }

    private struct Name: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}
