/// A PostgreSQL that is there, and takes nobody in.
import Foundation
import Testing

/// Answers whoever connects with an error code, as PostgreSQL does while it starts up.
final class RefusingServer: Sendable {
    private let listener: SilentServer

    /// Listens.
    ///
    /// - Parameter code: the five characters of PostgreSQL's appendix A, "Error Codes".
    /// - Throws: an expectation that failed, when there is no port to listen on.
    init(_ code: String) throws {
        listener = try SilentServer()
        let descriptor = listener.descriptor
        let answer = Self.error(code)
        Thread.detachNewThread {
            while case let caller = accept(descriptor, nil, nil), caller >= 0 {
                // The answer is to a request, which libpq sends first.
                var request = [UInt8](repeating: 0, count: 4096)
                _ = recv(caller, &request, request.count, 0)
                _ = send(caller, answer, answer.count, Int32(MSG_NOSIGNAL))
                close(caller)
            }
        }
    }

    deinit {
        // Only this wakes the thread that waits for callers.
        shutdown(listener.descriptor, Int32(SHUT_RDWR))
    }

    var port: UInt16 { listener.port }

    /// An `ErrorResponse` (PostgreSQL, "Message Formats").
    private static func error(_ code: String) -> [UInt8] {
        let fields = ["SFATAL", "VFATAL", "C\(code)", "Mno"].map { Array($0.utf8) + [0] }.joined() + [0]
        let length = UInt32(fields.count + 4)
        return Array("E".utf8) + withUnsafeBytes(of: length.bigEndian, Array.init) + fields
    }
}
