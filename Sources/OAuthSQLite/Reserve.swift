// Room that is kept for the day when the disk is full.

import Foundation
import Glibc

/// A file beside the database that holds nothing but its place: what ends something may have it when the disk is full.
///
/// It is given up piece by piece, so that whoever else fills the disk does not get all of it at once.
struct Reserve: Sendable {
    private let path: String
    /// How large it is when it is whole.
    static let size: off_t = 4 * 1024 * 1024
    /// How much is given up at a time: the frames of some dozen cuts.
    static let piece: off_t = 256 * 1024

    /// Names the reserve of a database.
    init(besideDatabase path: String) {
        self.path = path + ".reserve"
    }

    /// Whether a file lies on the reserve's disk, or would.
    func sharesDisk(with file: String) -> Bool {
        let folder = URL(fileURLWithPath: file).deletingLastPathComponent().path
        guard let own = Self.device(of: path), let other = Self.device(of: file) ?? Self.device(of: folder) else {
            return false
        }
        return own == other
    }

    private static func device(of path: String) -> dev_t? {
        var facts = stat()
        return stat(path, &facts) == 0 ? facts.st_dev : nil
    }

    /// Makes the reserve whole again.
    ///
    /// - Returns: 0, or the error's number; nothing of it is kept then but what was there before.
    func fill() -> Int32 {
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { return errno }
        defer { close(file) }
        let before = max(lseek(file, 0, SEEK_END), 0)
        guard before < Self.size else { return 0 }
        // Trying would take what little there is from others for a moment.
        guard hasRoom(file, for: Self.size - before) else { return ENOSPC }
        let code = posix_fallocate(file, 0, Self.size)
        if code != 0 { ftruncate(file, before) }
        return code
    }

    private func hasRoom(_ file: Int32, for size: off_t) -> Bool {
        var facts = statvfs()
        guard fstatvfs(file, &facts) == 0 else { return true }
        return UInt64(facts.f_bavail) * UInt64(facts.f_frsize) >= UInt64(size)
    }

    /// Gives up a piece.
    /// - Returns: false when nothing is left.
    func release() -> Bool {
        let file = open(path, O_RDWR | O_CLOEXEC)
        guard file >= 0 else { return false }
        defer { close(file) }
        let size = lseek(file, 0, SEEK_END)
        guard size > 0 else { return false }
        return ftruncate(file, max(0, size - Self.piece)) == 0
    }
}
