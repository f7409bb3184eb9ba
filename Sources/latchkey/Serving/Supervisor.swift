import Foundation
import Glibc
import ServiceLifecycle

/// What started this process and watches over it, such as systemd: it is told how the server is doing (sd_notify(3)).
///
/// Each message is a datagram to the socket that the environment names. Nobody listens outside of such a supervisor, and
/// a message that cannot be sent is no reason to fail.
struct Supervisor: Sendable {
    /// The bytes of the socket's address: a path, or a name that begins with a zero.
    private let address: [UInt8]
    /// How long it waits for a sign of life; nil when it does not watch.
    private let watchdog: Duration?

    /// The supervisor that an environment names; nil when there is none.
    init?(_ environment: [String: String] = ProcessInfo.processInfo.environment) {
        guard let name = environment["NOTIFY_SOCKET"], name.hasPrefix("/") || name.hasPrefix("@") else { return nil }
        var address = Array(name.utf8)
        if name.hasPrefix("@") { address[0] = 0 }
        guard address.count < MemoryLayout.size(ofValue: sockaddr_un().sun_path) else { return nil }
        self.address = address
        let isForUs = environment["WATCHDOG_PID"].map { $0 == String(getpid()) } ?? true
        let microseconds = environment["WATCHDOG_USEC"].flatMap { Int64($0) }.flatMap { $0 > 0 ? $0 : nil }
        watchdog = isForUs ? microseconds.map { .microseconds($0) } : nil
    }

    /// What tells it that the server lives; nil when it does not want to know.
    var signsOfLife: SignsOfLife? { watchdog.map { SignsOfLife(supervisor: self, limit: $0) } }

    /// What can be told.
    enum Message: String {
        case isReady = "READY=1"
        case isStopping = "STOPPING=1"
        case lives = "WATCHDOG=1"
    }

    func tell(_ message: Message) {
        let line = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard line >= 0 else { return }
        defer { close(line) }
        var target = sockaddr_un()
        target.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &target.sun_path) { $0.copyBytes(from: address) }
        // A name is as long as it is said to be; a path ends at its zero.
        let length = socklen_t(MemoryLayout.offset(of: \sockaddr_un.sun_path).map { $0 + address.count } ?? 0)
        let bytes = Array(message.rawValue.utf8)
        _ = withUnsafePointer(to: &target) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(line, bytes, bytes.count, Int32(MSG_NOSIGNAL), $0, length)
            }
        }
    }
}

/// Tells the supervisor that the server lives, for as long as it serves.
struct SignsOfLife: Service {
    let supervisor: Supervisor
    /// How long it waits for one.
    let limit: Duration

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            while true {
                supervisor.tell(.lives)
                try await Task.sleep(for: limit / 2)
            }
        }
    }
}
