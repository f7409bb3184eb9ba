import Foundation
import Glibc
import OAuthSQLite

/// A file that a server reads and writes, tried without being made or changed.
struct FileTrial: Sendable {
    /// What it is, as the beginning of a sentence.
    let what: String
    /// Where it is.
    let path: String
    /// What to do when the place is wrong, as the end of a sentence.
    let remedy: String

    /// Finds out whether the file can be read and written, or could be made where it is missing.
    /// - Throws: a `Complaint` that says why not, and whose the place is when the system forbids it.
    func check() throws(Complaint) {
        guard let status = try status() else { return try checkFolder() }
        guard status.st_mode & S_IFMT != S_IFDIR else {
            throw Complaint("\(what) \(path) is a folder, not a file; \(remedy)")
        }
        guard access(path, R_OK | W_OK) == 0 else { throw complaint("cannot be read and written", path) }
    }

    /// Whether the file is there.
    /// - Throws: a `Complaint` when the system lets nobody look.
    func exists() throws(Complaint) -> Bool { try status() != nil }

    private func status() throws(Complaint) -> stat? {
        var status = stat()
        guard stat(path, &status) != 0 else { return status }
        guard errno == ENOENT else { throw complaint("cannot be reached", path) }
        return nil
    }

    /// Whether a file could be made: one without a name is, of which nothing is left.
    private func checkFolder() throws(Complaint) {
        let folder = Self.folder(of: path)
        let probe = open(folder, Self.unnamed | O_WRONLY | O_CLOEXEC, 0o600)
        guard probe < 0 else {
            close(probe)
            return
        }
        switch errno {
        case ENOENT:
            throw Complaint(
                "\(what) \(path) cannot be made: there is no folder \(folder); \(remedy), or make the folder"
            )
        case EOPNOTSUPP, EISDIR:
            // Some file systems have no files without names; those without room, such as /proc, have no files of ours at all.
            var system = statvfs()
            guard statvfs(folder, &system) != 0 || system.f_blocks > 0 else {
                throw Complaint("\(what) \(path) cannot be made: \(folder) takes no files; \(remedy)")
            }
            guard access(folder, W_OK | X_OK) == 0 else { throw complaint("cannot be made", folder) }
        default:
            throw complaint("cannot be made", folder)
        }
    }

    private func complaint(_ verb: String, _ place: String) -> Complaint {
        let code = errno
        return Complaint("\(what) \(path) \(verb): \(Self.reason(code, at: place)); \(remedy)")
    }

    /// `O_TMPFILE`, which Swift does not import.
    private static let unnamed: Int32 = 0o20000000 | O_DIRECTORY

    private static func folder(of path: String) -> String {
        URL(fileURLWithPath: path).deletingLastPathComponent().path
    }

    /// Why something could not be read: it is opened once more, for the system to say so.
    ///
    /// - Parameters:
    ///   - path: where it was looked for.
    ///   - otherKind: what the system says of what may be read there and is of another kind: a folder, or none.
    ///   - remedy: what to do where nothing is there.
    /// - Returns: the end of a sentence.
    static func unreadable(_ path: String, otherKind: Int32 = EISDIR, missing remedy: String) -> String {
        // Nobody waits for who writes into a pipe.
        let file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard file < 0 else {
            close(file)
            return reason(otherKind, at: path)
        }
        let code = errno
        return code == ENOENT ? remedy : reason(code, at: path)
    }

    /// What the system says of a place, and, when it forbids it, whose the place is, who asked, and what would mend it.
    static func reason(_ code: Int32, at path: String) -> String {
        let words = String(cString: strerror(code))
        guard code == EACCES || code == EPERM else { return words }
        // A folder on the way may be what is closed: the first one that can be looked at from the end on.
        var place = URL(fileURLWithPath: path).path
        var status = stat()
        while stat(place, &status) != 0, place != "/" { place = folder(of: place) }
        let user = getpwuid(status.st_uid).map { String(cString: $0.pointee.pw_name) } ?? "user \(status.st_uid)"
        let group = getgrgid(status.st_gid).map { String(cString: $0.pointee.gr_name) } ?? "group \(status.st_gid)"
        let asking = getpwuid(geteuid()).map { String(cString: $0.pointee.pw_name) } ?? "user \(geteuid())"
        let mode = String(status.st_mode & 0o7777, radix: 8)
        return "\(words) (\(place) belongs to \(user):\(group) with mode 0\(mode), and this runs as \(asking): "
            + "\(mending(place, status)))"
    }

    /// What opens a place to who asks: its owner only has to allow it.
    private static func mending(_ place: String, _ status: stat) -> String {
        guard status.st_uid == geteuid() else { return "run it as its owner, or hand it over with chown" }
        let isFolder = status.st_mode & S_IFMT == S_IFDIR
        let needed: mode_t = isFolder ? 0o700 : 0o600
        guard status.st_mode & needed != needed else {
            return "its mode allows it, so look at 'lsattr -d \(place)' and at what confines this process"
        }
        return "run 'chmod \(isFolder ? "u+rwx" : "u+rw") \(place)'"
    }
}

extension FileTrial {
    init(databaseAt path: String, what: String = "the database") {
        self.init(what: what, path: path, remedy: "correct --database (LATCHKEY_DATABASE)")
    }
}

extension Deployment {
    /// Tries the files that a start needs, and makes none; the database is not opened, for which SQLite would make two.
    /// - Throws: a `Complaint` about the first that would stop the start.
    func tryFiles() throws(Complaint) {
        guard case .sqlite(let path) = database else { return try tryRevocationLog() }
        try tryDatabase(path)
        try tryRevocationLog()
        let file = SQLiteFile(path: path)
        if file.size == 0 {
            try refuseLost(path, beginsAnew: false)
        } else if !file.hasHeader {
            throw unusable(path, "it is not a SQLite database")
        }
        if secretKey == nil { _ = try SecretKeyFile(besideDatabase: path).read() }
    }

    /// Tries the revocation log, if one is kept.
    func tryRevocationLog() throws(Complaint) {
        guard let log = revocationLogPath else { return }
        try FileTrial(
            what: "the revocation log",
            path: log,
            remedy: "correct revocation-log (LATCHKEY_REVOCATION_LOG)"
        ).check()
    }

    /// Tries the files of a SQLite database: a command that somebody else ran may have left some that are theirs, and those that are
    /// missing SQLite makes, although it only reads.
    func tryDatabase(_ path: String) throws(Complaint) {
        try FileTrial(databaseAt: path).check()
        // They are beside the file, not beside a link to it.
        let place = Replacement.place(behind: path)
        for ending in SQLiteFile.endings where !ending.isEmpty {
            try FileTrial(databaseAt: place + ending, what: "SQLite's file").check()
        }
    }
}
