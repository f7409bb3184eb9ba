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
        let file = openOrMake()
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
        let code = writeAll(content[...], to: file)
        guard code == 0 else { return takeBack(file, to: size, because: code) }
        guard fdatasync(file) == 0 else { return takeBack(file, to: size, because: errno) }
        if size == 0 { flushFolder() }
        return 0
    }

    /// What the end of the file tells.
    struct Tail: Sendable {
        /// Until when everything that had ended is in the file: the time of the last line that names no ending; nil for a file
        /// that is not there yet, and begins now.
        var mark: Instant?
        /// What stands there and is younger than that, or older by a while at most.
        var endings: Set<Ending> = []
    }

    /// Reads the end of the file.
    ///
    /// - Parameters:
    ///   - lateness: how much older than the mark an ending may be and still be wanted.
    ///   - now: when a file begins that is not there yet.
    /// - Returns: what stands there, or why no file could be made.
    func tail(lateness: Duration, orBegin now: Instant) -> Result<Tail, SQLError> {
        var length: off_t = 64 * 1024
        while true {
            let (content, isWhole) = end(length)
            guard !content.isEmpty else {
                let code = append([], beginning: now)
                guard code == 0 else { return .failure(.unnoted("\(path): \(String(cString: strerror(code)))")) }
                return .success(Tail())
            }
            // What the end of the file begins with may be half a line.
            let lines = content.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            var tail = Tail.read(lines.dropFirst(isWhole ? 0 : 1).reversed(), lateness: lateness)
            if tail.mark != nil { return .success(tail) }
            guard !isWhole else {
                tail.mark = Instant(milliseconds: 0)
                return .success(tail)
            }
            length *= 8
        }
    }

    /// Which connections were cut last, as far as the last bytes of the file tell.
    func connectionsCutLast(within length: off_t = 64 * 1024) -> [ConnectionID] {
        end(length).content.split(separator: UInt8(ascii: "\n")).compactMap { line in
            let ending = Ending(line: String(decoding: line, as: UTF8.self))
            guard let ending, ending.kind == .connection else { return nil }
            return ConnectionID(ending.id)
        }
    }

    fileprivate static let ended = Array(#""ended""#.utf8)

    /// The last bytes of the file, and whether that is all of it; none when it cannot be read.
    private func end(_ length: off_t) -> (content: [UInt8], isWhole: Bool) {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return ([], true) }
        defer { close(file) }
        let size = max(lseek(file, 0, SEEK_END), 0)
        let start = max(0, size - length)
        let content = [UInt8](unsafeUninitializedCapacity: Int(size - start)) { buffer, count in
            while count < buffer.count {
                let place = buffer.baseAddress.map { $0 + count }
                let read = pread(file, place, buffer.count - count, start + off_t(count))
                guard read > 0 else { return }
                count += read
            }
        }
        return (content, start == 0)
    }

    private func takeBack(_ file: Int32, to size: off_t, because code: Int32) -> Int32 {
        ftruncate(file, size)
        return code
    }

    /// Opens the file, and makes it where it is missing.
    ///
    /// A new one that root makes, in a command beside the server, goes to the owner of its folder, who is the server's user: else
    /// the server could note nothing more. One behind a link stays root's, for whoever owns the folder may have it lead anywhere.
    ///
    /// - Returns: the file; -1 with `errno`.
    private func openOrMake() -> Int32 {
        let flags = O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC
        guard geteuid() == 0 else { return open(path, flags, 0o600) }
        let made = open(path, flags | O_EXCL, 0o600)
        guard made >= 0 else { return open(path, flags, 0o600) }
        handOver(made, toOwnerOf: folderPath)
        return made
    }

    private var folderPath: String { URL(fileURLWithPath: path).deletingLastPathComponent().path }

    private func flushFolder() {
        let folder = open(folderPath, O_RDONLY | O_CLOEXEC)
        guard folder >= 0 else { return }
        fsync(folder)
        close(folder)
    }
}

extension RevocationFile.Tail {
    /// Reads lines, the last one first.
    fileprivate static func read(_ lines: some Sequence<ArraySlice<UInt8>>, lateness: Duration) -> Self {
        var tail = Self()
        for line in lines {
            if line.contains(RevocationFile.ended) {
                guard let ending = Ending(line: String(decoding: line, as: UTF8.self)) else { continue }
                if let mark = tail.mark, ending.at < mark - lateness { break }
                tail.endings.insert(ending)
            } else if tail.mark == nil {
                tail.mark = (try? JSONDecoder().decode(Ending.Written.self, from: Data(line)))
                    .map { Instant(milliseconds: $0.at) }
            }
        }
        return tail
    }
}
