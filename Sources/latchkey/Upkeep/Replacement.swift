import Foundation
import Glibc
import OAuth
import OAuthSQLite
import OAuthStore

/// A backup on its way to the place of a database: everything is done beside it, and the last step is a change of names.
struct Replacement: Sendable {
    let backup: String
    let target: String
    /// Where the new database is made ready.
    let draft: String

    init(backup: String, target: String) {
        self.backup = backup
        self.target = target
        draft = target + ".\(UInt32.random(in: .min ... .max)).restoring"
    }

    /// Refuses what is certain to go wrong, before anything is written.
    func check(replaces: Bool) throws(Complaint) {
        guard FileManager.default.fileExists(atPath: backup) else {
            throw Complaint("there is no file \(backup): name a backup that 'latchkey backup' wrote")
        }
        try refuseUsed()
        guard replaces || !FileManager.default.fileExists(atPath: target) else {
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

    /// Copies the backup and looks at the copy.
    func prepare() throws {
        do {
            for ending in SQLiteFile.endings.dropLast() where FileManager.default.fileExists(atPath: backup + ending) {
                try FileManager.default.copyItem(atPath: backup + ending, toPath: draft + ending)
                chmod(draft + ending, 0o600)
            }
        } catch {
            discard()
            throw Complaint("\(backup) cannot be copied to \(draft): \(error.localizedDescription)")
        }
        let copy = SQLiteFile(path: draft)
        if let fault = copy.fault() {
            discard()
            throw Complaint("\(backup) cannot be restored: \(fault); take another backup")
        }
        let schema = try copy.schema()
        guard schema <= Migrations().newest else {
            discard()
            throw Complaint(
                "\(backup) was made by a newer release (schema \(schema), this one knows \(Migrations().newest)): "
                    + "restore it with that release"
            )
        }
    }

    /// Puts the new database in the old one's place.
    ///
    /// Whenever it is interrupted, the place holds a whole database, the old one or the new one: a server that found none there
    /// would make an empty one. And no log of the old one ever lies beside the new one: a log names no database, and SQLite would
    /// write what it holds into whichever it finds.
    ///
    /// - Parameter now: names the old one.
    /// - Returns: where the old one is now; nil when there was none.
    /// - Throws: a `Complaint` when somebody uses the old one, or a name cannot be changed.
    func swap(now: Instant) throws(Complaint) -> String? {
        let folder = URL(fileURLWithPath: target).deletingLastPathComponent().path
        try flush(draft)
        // A server may have been started meanwhile.
        try refuseUsed()
        SQLiteFile(path: target).fold()
        let kept = target + ".before-restore-" + now.written.filter { $0 != ":" }
        let isThere = FileManager.default.fileExists(atPath: target)
        if isThere {
            // Where a file cannot have two names, the place is empty for a moment.
            guard link(target, kept) == 0 || rename(target, kept) == 0 else { throw failure("kept as \(kept)") }
        }
        // They may be there without the old one, if somebody has moved it away.
        for log in SQLiteFile.endings.dropFirst() where FileManager.default.fileExists(atPath: target + log) {
            guard rename(target + log, kept + log) == 0 else { throw failure("freed of its \(log) file") }
        }
        try flush(folder)
        guard rename(draft, target) == 0 else { throw failure("replaced") }
        try flush(folder)
        return isThere ? kept : nil
    }

    /// Takes away what was made ready and is not needed.
    func discard() {
        for ending in SQLiteFile.endings { unlink(draft + ending) }
        unlink(draft + ".reserve")
    }

    private func failure(_ what: String) -> Complaint {
        Complaint(
            "\(target) cannot be \(what) (\(String(cString: strerror(errno)))): nothing is lost, the old database has its name or "
                + "that one; correct the rights to the folder, and restore again"
        )
    }
}
