import Foundation
import Glibc
import OAuth
import OAuthSQLite
import OAuthStore

/// A backup on its way to the place of a database: everything is done beside it, and the last step is a change of names.
struct Replacement: Sendable {
    let backup: String
    /// Where the database itself is: behind the symbolic links, if it was named by one.
    let target: String
    /// Where the new database is made ready.
    let draft: Draft

    init(backup: String, target: String) {
        self.backup = backup
        self.target = Self.place(behind: target)
        draft = Draft(of: self.target, .restore)
    }

    /// Where a path leads, over symbolic links, of which the last may lead to a file that is lost.
    ///
    /// A change of names would put the new database in the link's place, on another disk perhaps, and leave the old one.
    static func place(behind path: String) -> String {
        var place = path
        // The system follows no more either (path_resolution(7)).
        for _ in 0..<40 {
            guard let next = try? FileManager.default.destinationOfSymbolicLink(atPath: place) else { break }
            let folder = place.lastIndex(of: "/").map { String(place[...$0]) } ?? ""
            place = next.hasPrefix("/") ? next : folder + next
        }
        return place
    }

    /// Whether there is a database to be replaced: an empty file is none.
    private var replacesSomething: Bool { SQLiteFile(path: target).size > 0 }

    /// Refuses what is certain to go wrong, before anything is written.
    func check(replaces: Bool) throws(Complaint) {
        let remedy = "name a backup that 'latchkey backup' wrote"
        guard try FileTrial(what: "the backup", path: backup, remedy: remedy).exists() else {
            throw Complaint("there is no file \(backup): \(remedy)")
        }
        guard Self.isFile(backup) else { throw Complaint("\(backup) is no file (a folder?): \(remedy)") }
        guard Self.isFile(target) || !FileManager.default.fileExists(atPath: target) else {
            throw Complaint("\(target) is no file, but something else: correct --database (LATCHKEY_DATABASE)")
        }
        try refuseUsed()
        guard replaces || !replacesSomething else {
            throw Complaint(
                "\(target) is there already: add --replace to put the backup in its place; it is kept under another name"
            )
        }
        let folder = URL(fileURLWithPath: target).deletingLastPathComponent().path
        guard FileManager.default.fileExists(atPath: folder) else {
            throw Complaint("there is no folder \(folder): correct --database (LATCHKEY_DATABASE), or make the folder")
        }
    }

    /// Refuses a database that somebody has open.
    func refuseUsed() throws(Complaint) {
        guard let user = SQLiteFile(path: target).user() else { return }
        throw Complaint("the process \(user) uses \(target): stop the server first ('systemctl stop latchkey')")
    }

    private static func isFile(_ path: String) -> Bool {
        var facts = stat()
        return stat(path, &facts) == 0 && facts.st_mode & S_IFMT == S_IFREG
    }

    /// Copies the backup and looks at the copy; whatever comes of it, `discard` takes the copy away.
    ///
    /// - Returns: the copy, which is to be closed at the end.
    func prepare() throws(Complaint) -> Int32 {
        draft.sweepOthers()
        let file = draft.make()
        guard file >= 0 else { throw uncopied(errno) }
        do throws(Complaint) {
            try copy(backup, to: file)
            if Self.isFile(backup + "-wal") { try copyLog() }
            try inspect()
            return file
        } catch {
            discard(file)
            throw error
        }
    }

    /// Copies what a server that was killed has left beside its database.
    private func copyLog() throws(Complaint) {
        let log = open(draft.path + "-wal", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard log >= 0 else { throw uncopied(errno) }
        defer { close(log) }
        try copy(backup + "-wal", to: log)
    }

    private func copy(_ source: String, to file: Int32) throws(Complaint) {
        let from = open(source, O_RDONLY | O_CLOEXEC)
        guard from >= 0 else { throw Complaint("\(source) cannot be read: \(FileTrial.reason(errno, at: source))") }
        defer { close(from) }
        var piece = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = read(from, &piece, piece.count)
            guard count >= 0 else { throw uncopied(errno) }
            guard count > 0 else { return }
            let code = writeAll(piece[..<count], to: file)
            guard code == 0 else { throw uncopied(code) }
        }
    }

    private func uncopied(_ code: Int32) -> Complaint {
        Complaint("\(backup) cannot be copied to \(draft.path): \(FileTrial.reason(code, at: draft.path))")
    }

    /// Refuses a copy that is damaged, no database of Latchkey's, or no longer suits this release.
    private func inspect() throws(Complaint) {
        let copy = SQLiteFile(path: draft.path)
        if let fault = copy.fault() {
            throw Complaint("\(backup) cannot be restored: \(fault); take another backup")
        }
        guard let wanted = try? copy.compatibleSince() else {
            throw Complaint("\(backup) cannot be restored: its schema cannot be read; take another backup")
        }
        guard wanted <= Migrations().newest else {
            throw Complaint(
                "\(backup) was made by a newer release (it needs schema \(wanted) or later, this one knows "
                    + "\(Migrations().newest)): restore it with that release"
            )
        }
    }

    /// Puts the new database in the old one's place.
    ///
    /// Whenever it is interrupted, the place holds a whole database, the old one or the new one: a server that found none there
    /// would not start. And no log of the old one ever lies beside the new one: a log names no database, and SQLite would
    /// write what it holds into whichever it finds.
    ///
    /// - Parameters:
    ///   - copy: the new one, which goes to the owner of the old one, else of the folder: the server's user.
    ///   - now: names the old one.
    /// - Returns: where the old one is now; nil when there was none.
    /// - Throws: a `Complaint` when somebody uses the old one, or a name cannot be changed.
    func swap(_ copy: Int32, now: Instant) throws(Complaint) -> String? {
        let folder = URL(fileURLWithPath: target).deletingLastPathComponent().path
        if !handOver(copy, toOwnerOf: target) { handOver(copy, toOwnerOf: folder) }
        try flush(draft.path)
        // A server may have been started meanwhile.
        try refuseUsed()
        let isThere = replacesSomething
        if isThere { SQLiteFile(path: target).fold() }
        let kept = target + ".before-restore-" + now.rfc3339.filter { $0 != ":" }
        if isThere {
            // Where a file cannot have two names, the place is empty for a moment.
            guard link(target, kept) == 0 || rename(target, kept) == 0 else { throw failure("kept as \(kept)") }
        }
        try keepLog(as: kept)
        try flush(folder)
        guard rename(draft.path, target) == 0 else { throw failure("replaced") }
        try flush(folder)
        return isThere ? kept : nil
    }

    /// Moves the old database's log away; it may be there without the old one, if somebody has moved that away.
    private func keepLog(as kept: String) throws(Complaint) {
        // Whoever only reads leaves an empty log behind, in which nothing is to be kept.
        let holdsSomething = SQLiteFile(path: target + "-wal").size > 0
        for log in SQLiteFile.endings.dropFirst() where FileManager.default.fileExists(atPath: target + log) {
            let code = holdsSomething ? rename(target + log, kept + log) : unlink(target + log)
            guard code == 0 else { throw failure("freed of its \(log) file") }
        }
    }

    /// Takes away what was made ready and is not needed.
    func discard(_ copy: Int32) {
        draft.discard()
        close(copy)
    }

    private func failure(_ what: String) -> Complaint {
        Complaint(
            "\(target) cannot be \(what) (\(String(cString: strerror(errno)))): nothing is lost, the old database has its name or "
                + "that one; correct the rights to the folder, and restore again"
        )
    }
}
