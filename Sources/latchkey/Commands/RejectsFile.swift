import Foundation
import Glibc
import OAuthStore

/// Where the refused lines of an import go, as they were written: a new file, or something that writing passes through.
struct RejectsFile {
    private let path: String
    /// What is written to; nil until the first line, of which a new file is made.
    private var handle: FileHandle?
    private var isBegun = false

    private let isStream: Bool

    /// The file that holds refused lines; nil when none was written, or they went where nobody can mend them.
    var written: String? { isBegun && !isStream ? path : nil }

    /// Looks whether refused lines could be written there, and makes nothing yet.
    ///
    /// - Throws: a `Complaint` when something has the name that lasts, or the name cannot be had.
    init(path: String) throws(Complaint) {
        self.path = path
        handle = try openStream(path, otherwise: Self.taken(path))
        isStream = handle != nil
        guard !isStream else { return }
        try FileTrial(what: "the file for refused lines", path: path, remedy: "correct --rejects").check()
    }

    /// Writes one line more, under the heading if the file has one.
    ///
    /// - Throws: a `Complaint` when it cannot be written, or something else has the name by now.
    mutating func write(_ line: [UInt8], heading: [UInt8]?) throws(Complaint) {
        let handle = try opened()
        var lines = line + [0x0A]
        if let heading, !isBegun { lines = heading + [0x0A] + lines }
        let code = writeAll(lines[...], to: handle.fileDescriptor)
        guard code == 0 else {
            throw Complaint("the file \(path) for refused lines cannot be written: \(String(cString: strerror(code)))")
        }
        isBegun = true
    }

    private mutating func opened() throws(Complaint) -> FileHandle {
        if let handle { return handle }
        // Password hashes will be in it.
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else {
            guard errno != EEXIST else { throw Self.taken(path) }
            throw Complaint("the file \(path) for refused lines cannot be made: \(String(cString: strerror(errno)))")
        }
        let made = FileHandle(fileDescriptor: file, closeOnDealloc: true)
        handle = made
        return made
    }

    private static func taken(_ path: String) -> Complaint {
        Complaint("\(path) is there already, and an import overwrites nothing: name another file")
    }
}
