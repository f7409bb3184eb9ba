import Foundation
import Glibc
import OAuthSQLite

/// A file that is being made ready under a name of its own, beside the place where it belongs.
///
/// It is locked for as long as its process lives: whoever comes later takes away what a killed process has left.
struct Draft: Sendable {
    /// What is being made.
    enum Kind: String, Sendable {
        case backup = "part"
        case restore = "restoring"
        case export = "exporting"
    }

    let path: String
    let kind: Kind

    /// Names a draft for a file; nothing is made yet.
    init(of target: String, _ kind: Kind) {
        path = target + ".\(UInt32.random(in: .min ... .max))." + kind.rawValue
        self.kind = kind
    }

    /// Makes the empty file, which only this user can read, and locks it.
    /// - Returns: the file, to be closed when the draft has its name or is gone; -1 with `errno`.
    func make() -> Int32 {
        let file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if file >= 0 { _ = flock(file, LOCK_EX | LOCK_NB) }
        return file
    }

    /// Takes the draft away, if it still has this name.
    func discard() {
        for ending in Self.endings { unlink(path + ending) }
    }

    /// Takes away the drafts that killed processes have left in this one's folder.
    func sweepOthers() {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
            let parts = name.split(separator: ".", omittingEmptySubsequences: false)
            guard parts.count > 2, parts.last.map(String.init) == kind.rawValue, UInt32(parts[parts.count - 2]) != nil
            else { continue }
            sweep(folder + "/" + name)
        }
    }

    /// Gives the draft another name, unless something else has that by now.
    ///
    /// Many a disk or share that is written to knows no second names: there an empty file holds the place first.
    /// - Returns: 0, or -1 with `errno`.
    func publish(as target: String) -> Int32 {
        if link(path, target) == 0 { return 0 }
        let place = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard place >= 0 else { return -1 }
        close(place)
        guard rename(path, target) != 0 else { return 0 }
        let code = errno
        unlink(target)
        errno = code
        return -1
    }

    private static let endings = SQLiteFile.endings + ["-journal"]

    /// Takes one away, unless somebody is at work on it or it is something else.
    private func sweep(_ path: String) {
        let file = open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else { return }
        defer { close(file) }
        var facts = stat()
        guard fstat(file, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG, facts.st_mode & 0o777 == 0o600,
            facts.st_uid == geteuid(),
            kind == .export || (Self.isDatabase(file) && SQLiteFile(path: path).user() == nil),
            flock(file, LOCK_EX | LOCK_NB) == 0
        else { return }
        for ending in Self.endings { unlink(path + ending) }
    }

    /// Whether a file begins as a database does: one that is not finished may begin with nothing yet.
    private static func isDatabase(_ file: Int32) -> Bool {
        var head = [UInt8](repeating: 0, count: 16)
        let count = pread(file, &head, head.count, 0)
        return count == 0 || head.allSatisfy { $0 == 0 } || head == Array("SQLite format 3\0".utf8)
    }
}
