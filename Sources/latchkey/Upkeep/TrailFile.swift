import Foundation
import Glibc
import OAuthStore

/// Where an export of the trail goes: a new file, which has its name only when it is whole, or something that writing passes through.
struct TrailFile {
    private let name: String
    /// The file on its way to its name; nil where what is written passes through.
    private let draft: Draft?
    private let handle: FileHandle

    /// Whether this makes a file.
    var isNew: Bool { draft != nil }

    /// Opens the place of a name; nothing that lasts is overwritten.
    ///
    /// - Parameter name: a file that is not there yet, a pipe or a terminal; `-` for standard output.
    /// - Throws: a `Complaint` when something else has the name, or it cannot be written.
    init(_ name: String) throws(Complaint) {
        self.name = name
        guard name != "-" else {
            (draft, handle) = (nil, .standardOutput)
            return
        }
        if let stream = try openStream(name, otherwise: Self.taken(name)) {
            (draft, handle) = (nil, stream)
            return
        }
        let draft = Draft(of: name, .export)
        draft.sweepOthers()
        // For its owner alone: it tells of people.
        let file = draft.make()
        guard file >= 0 else { throw Self.unwritable(name, errno) }
        (self.draft, handle) = (draft, FileHandle(fileDescriptor: file, closeOnDealloc: true))
    }

    /// Writes on.
    /// - Throws: a `Complaint` when not all of it could be written.
    func write(_ bytes: [UInt8]) throws(Complaint) {
        let code = writeAll(bytes[...], to: handle.fileDescriptor)
        guard code == 0 else {
            let place = name == "-" ? "standard output" : name
            let reason = String(cString: strerror(code))
            throw Complaint("\(place) cannot be written (\(reason)): the trail is not whole there")
        }
    }

    /// Gives what was written its name.
    /// - Throws: a `Complaint` when something else has the name by now.
    func finish() throws {
        guard let draft else { return }
        try flush(draft.path)
        guard draft.publish(as: name) == 0 else {
            throw errno == EEXIST ? Self.taken(name) : Self.unwritable(name, errno)
        }
    }

    /// Takes away what has no name yet: half a trail must not pass for a whole one.
    func discard() {
        draft?.discard()
    }

    private static func taken(_ name: String) -> Complaint {
        Complaint(
            "\(name) is there already, and an export overwrites nothing: name another file, or - for standard output"
        )
    }

    private static func unwritable(_ name: String, _ code: Int32) -> Complaint {
        Complaint(
            "\(name) cannot be written (\(String(cString: strerror(code)))): name a file in a folder that you may write to"
        )
    }
}

/// Opens what has a name already, if writing passes through it: a pipe, a terminal, another device of characters.
///
/// - Parameters:
///   - name: the name.
///   - taken: says that something has it that lasts.
/// - Returns: nil when nothing has the name.
/// - Throws: `taken`, or a `Complaint` when it cannot be written.
func openStream(_ name: String, otherwise taken: Complaint) throws(Complaint) -> FileHandle? {
    func isStream(_ facts: stat) -> Bool { [S_IFIFO, S_IFCHR].contains(facts.st_mode & S_IFMT) }
    var facts = stat()
    guard lstat(name, &facts) == 0 else { return nil }
    guard stat(name, &facts) == 0, isStream(facts) else { throw taken }
    let place = open(name, O_WRONLY | O_NOCTTY | O_CLOEXEC)
    guard place >= 0 else {
        throw Complaint("\(name) cannot be written: \(String(cString: strerror(errno)))")
    }
    // Somebody may have changed names meanwhile.
    guard fstat(place, &facts) == 0, isStream(facts) else {
        close(place)
        throw taken
    }
    return FileHandle(fileDescriptor: place, closeOnDealloc: true)
}
