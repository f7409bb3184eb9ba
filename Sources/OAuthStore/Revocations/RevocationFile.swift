import FoundationEssentials
import Glibc
import OAuth

/// The file of a revocation log: opened for each writing, so that it may be moved away at any time.
struct RevocationFile: Sendable {
    let path: String

    /// Appends lines and flushes them; all of them or none.
    ///
    /// - Parameters:
    ///   - lines: whole lines.
    ///   - began: what a new file says of its beginning.
    /// - Returns: 0, or the error's number.
    func append(_ lines: [UInt8], beginning began: Instant) -> Int32 {
        let file = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { return errno }
        defer { close(file) }
        // Whoever takes back what did not fit must not take another process's lines with it.
        guard flock(file, LOCK_EX) == 0 else { return errno }
        let size = lseek(file, 0, SEEK_END)
        guard size >= 0 else { return errno }
        var content: [UInt8] = []
        if size == 0 {
            content = Array(Ending.Written(at: began.milliseconds).line.utf8)
        } else {
            var last: UInt8 = 0
            // A crash may have left half a line.
            if pread(file, &last, 1, size - 1) == 1, last != UInt8(ascii: "\n") { content = [UInt8(ascii: "\n")] }
        }
        content += lines
        var done = 0
        while done < content.count {
            let count = content[done...].withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return takeBack(file, to: size, because: errno) }
            done += count
        }
        guard fdatasync(file) == 0 else { return takeBack(file, to: size, because: errno) }
        if size == 0 { flushFolder() }
        return 0
    }

    /// The time of the last line; a log that is not there yet begins now, and nil is returned.
    func lastTime(orBegin now: Instant) -> Result<Instant?, SQLError> {
        guard let content = try? Data(contentsOf: URL(fileURLWithPath: path)), !content.isEmpty else {
            let code = append([], beginning: now)
            guard code == 0 else { return .failure(.unnoted("\(path): \(String(cString: strerror(code)))")) }
            return .success(nil)
        }
        // Half a line at the end is not the last one.
        let lines = content.suffix(64 * 1024).split(separator: UInt8(ascii: "\n"))
        let times = lines.compactMap { try? JSONDecoder().decode(Ending.Written.self, from: Data($0)).at }
        return .success(times.last.map(Instant.init(milliseconds:)) ?? Instant(milliseconds: 0))
    }

    private func takeBack(_ file: Int32, to size: off_t, because code: Int32) -> Int32 {
        ftruncate(file, size)
        return code
    }

    private func flushFolder() {
        let folder = open(URL(fileURLWithPath: path).deletingLastPathComponent().path, O_RDONLY | O_CLOEXEC)
        guard folder >= 0 else { return }
        fsync(folder)
        close(folder)
    }
}
