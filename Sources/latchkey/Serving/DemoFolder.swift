import Foundation
import Glibc

/// The folder of a demo, which one demo at a time may use: a second one would take the first one's client over.
struct DemoFolder: Sendable {
    /// Its absolute path.
    let path: String
    /// The locked file; the lock ends with the process, however that ends.
    private let lock: Int32

    /// Makes the folder if it is missing, and takes it.
    /// - Throws: a `Complaint` when it cannot be made, or when another demo uses it.
    init(_ name: String) throws(Complaint) {
        path = URL(fileURLWithPath: name).standardizedFileURL.path
        do {
            try FileManager.default.createDirectory(
                atPath: path,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
        } catch {
            throw Complaint("the folder \(path) cannot be made: choose another one with --data")
        }
        lock = open(path + "/demo.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0 else {
            throw Complaint("the folder \(path) cannot be used: \(String(cString: strerror(errno)))")
        }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            close(lock)
            throw Complaint(
                "another demo is running with the data in \(path): end it first, or give this one a folder and a port of "
                    + "its own with --data and --port"
            )
        }
    }

    /// Lets the next demo in.
    func leave() {
        close(lock)
    }
}
