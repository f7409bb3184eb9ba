import Foundation

/// Texts of files that people write with an editor.
enum WrittenText {
    /// Reads the bytes of such a file.
    ///
    /// - Parameters:
    ///   - data: the bytes.
    ///   - what: which file it is, as the beginning of a sentence.
    /// - Returns: the text.
    /// - Throws: a `Complaint` that names the first line that is not UTF-8.
    static func read(_ data: Data, of what: String) throws(Complaint) -> String {
        if let text = String(validating: data, as: UTF8.self) { return text }
        // The line of the first byte that no UTF-8 has, as an editor counts it.
        let lines = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        let line = lines.firstIndex { String(validating: $0, as: UTF8.self) == nil } ?? 0
        throw Complaint("\(what) line \(line + 1): is not UTF-8: save the file in that encoding")
    }
}

extension String {
    /// Whether bytes that are not UTF-8 were replaced when the system's text was taken over: nobody writes this character.
    var hasReplacedBytes: Bool { unicodeScalars.contains("\u{FFFD}") }
}
