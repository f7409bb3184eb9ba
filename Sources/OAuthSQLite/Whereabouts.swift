import Glibc

/// Which file has the database's name.
///
/// An open file lives on when its name is taken away, and whoever writes into it writes into nothing that anybody finds again.
struct Whereabouts: Sendable {
    private let path: String
    private let device: dev_t
    private let inode: ino_t

    /// Remembers the file that has the name now; nil when none has.
    init?(of path: String) {
        var facts = stat()
        guard stat(path, &facts) == 0 else { return nil }
        self.path = path
        device = facts.st_dev
        inode = facts.st_ino
    }

    /// Why the file would not be found under its name; nil when it would.
    var misplacement: String? {
        var facts = stat()
        guard stat(path, &facts) == 0 else { return "its file is gone from its place" }
        return facts.st_dev == device && facts.st_ino == inode ? nil : "another file is in the place of its own"
    }
}
