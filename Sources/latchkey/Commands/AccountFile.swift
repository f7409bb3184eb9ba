import Foundation
import Glibc
import OAuth
import OAuthServer

/// A file of accounts: CSV (RFC 4180) with a heading, or JSON Lines.
///
/// It is read bit by bit, so that its size is no matter.
struct AccountFile {
    /// One account as the file has it.
    struct Row: Sendable {
        let email: String
        let name: String?
        let hash: String?
        let externalID: String?
    }

    /// One record of the file.
    struct Entry: Sendable {
        /// The line on which it begins, counted from 1.
        let line: Int
        /// Its bytes as they were written; nil when they are too many to be kept.
        let raw: [UInt8]?
        let content: Result<Row, Complaint>
    }

    /// The heading of a CSV file as it was written; nil for JSON Lines.
    private(set) var heading: [UInt8]?
    private var columns: [String] = []
    private var source: RecordSource

    fileprivate static let known = ["email", "name", "password_hash", "external_id"]

    init(path: String) throws(Complaint) {
        source = try RecordSource(path: path)
        let start = try source.peek()
        guard start != UInt8(ascii: "{") else { return }
        let expected = "expected CSV with the heading email,name,password_hash, or JSON Lines"
        guard start != UInt8(ascii: "[") else {
            throw Complaint("\(path) is a JSON array: \(expected), which are an object on each line")
        }
        guard let first = try source.record(quoted: true) else { throw Complaint("\(path) is empty: \(expected)") }
        guard let names = CSV.fields(first.bytes) else {
            let isText = String(validating: first.bytes, as: UTF8.self) != nil
            throw Complaint("\(path) is \(isText ? "neither CSV nor JSON Lines" : "not UTF-8"): \(expected)")
        }
        columns = names.map { $0.lowercased() }
        heading = first.bytes
        let unknown = columns.first { !Self.known.contains($0) }
        guard unknown == nil, columns.contains("email"), columns.contains("password_hash"),
            Set(columns).count == columns.count
        else {
            throw Complaint(
                "\(path) has the heading '\(names.joined(separator: ",").plain.prefix(100))', "
                    + "but must have email,name,password_hash and perhaps external_id"
            )
        }
    }

    /// The next record, or nil at the end.
    mutating func next() throws(Complaint) -> Entry? {
        while let record = try source.record(quoted: heading != nil) {
            guard !record.isTooLong else {
                let reason = "it is longer than 64 KiB, which no account needs; --rejects does not keep it"
                return Entry(line: record.line, raw: nil, content: .failure(Complaint(reason)))
            }
            guard !record.bytes.allSatisfy({ $0 == 0x20 || $0 == 0x0D }) else { continue }
            let content = Result { () throws(Complaint) in
                try Self.checked(heading == nil ? try JSONLine.members(record.bytes) : try csv(record.bytes))
            }
            return Entry(line: record.line, raw: record.bytes, content: content)
        }
        return nil
    }

    private func csv(_ bytes: [UInt8]) throws(Complaint) -> [String: String] {
        guard let fields = CSV.fields(bytes) else { throw Complaint("the quotes or the characters are not correct") }
        guard fields.count == columns.count else {
            throw Complaint("it has \(fields.count) fields, but the heading has \(columns.count)")
        }
        return Dictionary(uniqueKeysWithValues: zip(columns, fields)).filter { !$0.value.isEmpty }
    }

    private static func checked(_ members: [String: String]) throws(Complaint) -> Row {
        guard let email = members["email"] else { throw Complaint("it has no email") }
        let name = try members["name"].map { text throws(Complaint) in try AccountName(text).text }
        if let fault = members["password_hash"].flatMap(PasswordHash.fault) {
            throw Complaint("the password_hash \(fault)")
        }
        guard (members["external_id"] ?? "").utf8.count <= 255 else {
            throw Complaint("the external_id is longer than 255 bytes")
        }
        guard !hasControls(members["external_id"] ?? "") else {
            throw Complaint("the external_id holds control characters: expected is plain text in one line")
        }
        return Row(
            email: try EmailAddress(typed: email).text,
            name: name,
            hash: members["password_hash"],
            externalID: members["external_id"]
        )
    }

    /// Whether a text holds a tab, a line's end or the like: for a NUL PostgreSQL refuses everything that comes with it.
    private static func hasControls(_ text: String) -> Bool {
        text.unicodeScalars.contains { $0.properties.generalCategory == .control }
    }
}

/// Records of a file, one at a time.
private struct RecordSource {
    struct Record {
        /// The line on which it begins, counted from 1.
        let line: Int
        var bytes: [UInt8] = []
        /// Whether it was skipped.
        var isTooLong = false
    }

    private let handle: FileHandle
    private let path: String
    private var buffer: [UInt8] = []
    private var position = 0
    private var line = 1

    /// No account needs more; a quote that is never closed would take the whole file in.
    private static let limit = 64 * 1024

    init(path: String) throws(Complaint) {
        self.path = path
        guard path != "-" else {
            handle = .standardInput
            return
        }
        guard let handle = FileHandle(forReadingAtPath: path) else {
            let reason = FileTrial.unreadable(path, missing: "name one that exists")
            throw Complaint("the file \(path) cannot be read: \(reason)")
        }
        self.handle = handle
    }

    /// The first byte that is no blank, past a byte order mark.
    mutating func peek() throws(Complaint) -> UInt8? {
        if try fill(), buffer.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
        return buffer.dropFirst(position).first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
    }

    /// The bytes up to the end of a line, which in CSV may lie within quotes.
    mutating func record(quoted: Bool) throws(Complaint) -> Record? {
        var record = Record(line: line)
        var isInQuotes = false
        // Quotes begin where a field does (RFC 4180 §2), and go on behind one that is doubled: any other quote is of its line alone.
        var mayOpen = true
        while true {
            if position == buffer.count {
                guard try fill() else { return record.bytes.isEmpty ? nil : record }
            }
            let byte = buffer[position]
            position += 1
            let isBound = byte == UInt8(ascii: "\"") && (isInQuotes || mayOpen)
            if isBound { isInQuotes.toggle() }
            mayOpen = isBound || byte == UInt8(ascii: ",")
            if byte == 0x0A {
                line += 1
                guard quoted, isInQuotes else {
                    if record.bytes.last == 0x0D { record.bytes.removeLast() }
                    return record
                }
            }
            record.bytes.append(byte)
            guard record.bytes.count > Self.limit else { continue }
            // Where a line's end may lie within quotes, nobody knows where the next record begins.
            guard !quoted else {
                throw Complaint(
                    "\(path), line \(record.line): the record is longer than 64 KiB; perhaps a quote is not closed"
                )
            }
            try skipLine()
            return Record(line: record.line, isTooLong: true)
        }
    }

    private mutating func skipLine() throws(Complaint) {
        while true {
            if let end = buffer[position...].firstIndex(of: 0x0A) {
                position = end + 1
                line += 1
                return
            }
            guard try fill() else { return }
        }
    }

    private mutating func fill() throws(Complaint) -> Bool {
        let file = handle.fileDescriptor
        var piece = [UInt8](repeating: 0, count: 64 * 1024)
        var filled = 0
        // A pipe gives what it has; the file's beginning is looked at as a whole.
        while filled < piece.count {
            let count = piece.withUnsafeMutableBytes { bytes in
                read(file, bytes.baseAddress.map { $0 + filled }, bytes.count - filled)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Complaint("\(path) cannot be read: \(String(cString: strerror(errno)))") }
            guard count > 0 else { break }
            filled += count
        }
        buffer = Array(piece[..<filled])
        position = 0
        return !buffer.isEmpty
    }
}

/// Comma-separated values (RFC 4180 §2).
private enum CSV {
    /// The fields of one record; nil when its quotes or its UTF-8 are not correct.
    static func fields(_ bytes: [UInt8]) -> [String]? {
        var fields: [[UInt8]] = [[]]
        var isQuoted = false
        var hasEnded = false
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            switch (byte, isQuoted) {
            case (UInt8(ascii: "\""), true):
                if index < bytes.count, bytes[index] == UInt8(ascii: "\"") {
                    fields[fields.count - 1].append(byte)
                    index += 1
                } else {
                    isQuoted = false
                    hasEnded = true
                }
            case (UInt8(ascii: ","), false):
                fields.append([])
                hasEnded = false
            case (UInt8(ascii: "\""), false):
                guard fields[fields.count - 1].isEmpty, !hasEnded else { return nil }
                isQuoted = true
            default:
                guard !hasEnded else { return nil }
                fields[fields.count - 1].append(byte)
            }
        }
        guard !isQuoted else { return nil }
        let texts = fields.compactMap { String(validating: $0, as: UTF8.self) }
        return texts.count == fields.count ? texts : nil
    }
}

/// One JSON object on a line.
private enum JSONLine {
    static func members(_ bytes: [UInt8]) throws(Complaint) -> [String: String] {
        guard let members = try? JSONDecoder().decode([String: String?].self, from: Data(bytes)) else {
            throw Complaint("it is not a JSON object whose members are texts")
        }
        guard written(in: bytes) == members.count else {
            throw Complaint("it has a member more than once, and nobody knows which one counts")
        }
        // One that is misspelt would be lost: an account without its password, and nobody is told.
        if let unknown = members.keys.filter({ !AccountFile.known.contains($0) }).min() {
            throw Complaint(
                "it has a member '\(unknown.plain.prefix(100))', but may have only \(AccountFile.known.joined(separator: ", "))"
            )
        }
        return members.compactMapValues { $0 }.filter { !$0.value.isEmpty }
    }

    /// How many members such an object is written with: each has a colon outside the texts.
    ///
    /// Decoded, those of one name are one.
    private static func written(in bytes: [UInt8]) -> Int {
        var (members, isText, isEscaped) = (0, false, false)
        for byte in bytes {
            switch byte {
            case _ where isEscaped: isEscaped = false
            case UInt8(ascii: "\\"): isEscaped = true
            case UInt8(ascii: "\""): isText.toggle()
            case UInt8(ascii: ":") where !isText: members += 1
            default: break
            }
        }
        return members
    }
}
