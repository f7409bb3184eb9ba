import Dispatch
import Foundation
import Glibc
import OAuthServer
import Synchronization

/// Writes lines to a file descriptor without ever letting the caller wait for a slow reader.
///
/// A line is written at once when that cannot block: a pipe that is ready takes a line of its buffer's unit whole. Else it
/// waits in a bounded queue for a thread of its own; what does not fit is dropped and counted.
final class LineWriter: Sendable {
    private struct State {
        var waiting: [UInt8] = []
        /// How many were dropped since that was last told.
        var untold = 0
        /// Whether the thread has something to do: then nobody overtakes it.
        var isBusy = false
        var flushers: [DispatchSemaphore] = []
    }

    /// How many lines were dropped.
    let dropped = Counter()
    private let file: Int32
    private let limit: Int
    private let tellDropped: @Sendable (Int) -> String
    private let state = Mutex(State())
    private let wake = DispatchSemaphore(value: 0)

    /// Starts the thread.
    ///
    /// - Parameters:
    ///   - file: the file descriptor.
    ///   - limit: how many bytes may wait.
    ///   - tellDropped: the line that says how many lines were dropped.
    init(to file: Int32, limit: Int = 4 * 1024 * 1024, tellDropped: @escaping @Sendable (Int) -> String) {
        self.file = file
        self.limit = limit
        self.tellDropped = tellDropped
        // A reader that has gone away must not end the server.
        signal(SIGPIPE, SIG_IGN)
        Thread.detachNewThread { self.work() }
    }

    /// Writes a line, now or soon.
    func write(_ line: String) {
        var bytes = Array((line + "\n").utf8)[...]
        let mustWake = state.withLock { state -> Bool in
            if !state.isBusy, bytes.count <= Int(PIPE_BUF), isReady {
                let count = Glibc.write(file, Array(bytes), bytes.count)
                if count < 0, errno != EAGAIN, errno != EINTR {
                    dropped.add()
                    return false
                }
                bytes = bytes.dropFirst(max(count, 0))
                if bytes.isEmpty { return false }
            }
            guard state.waiting.count + bytes.count <= limit else {
                state.untold += 1
                dropped.add()
                return false
            }
            state.waiting += bytes
            defer { state.isBusy = true }
            return !state.isBusy
        }
        if mustWake { wake.signal() }
    }

    /// Waits until everything is written, but no longer than a time.
    func flush(within limit: Duration) {
        let done = DispatchSemaphore(value: 0)
        let mustWait = state.withLock { state in
            if state.isBusy { state.flushers.append(done) }
            return state.isBusy
        }
        guard mustWait else { return }
        _ = done.wait(timeout: .now() + .milliseconds(Int(limit.components.seconds) * 1000))
    }

    /// Whether a short write would not block.
    private var isReady: Bool {
        var poll = pollfd(fd: file, events: Int16(POLLOUT), revents: 0)
        return Glibc.poll(&poll, 1, 0) == 1
    }

    private func work() {
        while true {
            wake.wait()
            while let batch = next() { write(batch) }
        }
    }

    /// What is to be written next, or nil, and the thread has nothing to do.
    private func next() -> [UInt8]? {
        let (batch, flushers) = state.withLock { state -> ([UInt8]?, [DispatchSemaphore]) in
            var batch = state.waiting
            state.waiting = []
            if state.untold > 0 {
                batch += Array((tellDropped(state.untold) + "\n").utf8)
                state.untold = 0
            }
            guard batch.isEmpty else { return (batch, []) }
            state.isBusy = false
            defer { state.flushers = [] }
            return (nil, state.flushers)
        }
        for flusher in flushers { flusher.signal() }
        return batch
    }

    private func write(_ batch: [UInt8]) {
        var rest = batch[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                var poll = pollfd(fd: file, events: Int16(POLLOUT), revents: 0)
                _ = Glibc.poll(&poll, 1, -1)
            } else if errno != EINTR {
                dropped.add(UInt64(rest.count { $0 == UInt8(ascii: "\n") }))
                return
            }
        }
    }
}
