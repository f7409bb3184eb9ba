import Foundation
import Logging

/// Writes what is worth a warning, and keeps what each request brings as it is.
///
/// swift-log's own handler writes a request's metadata out as text for every request, which `latchkey serve` does not.
struct PlainLog: LogHandler {
    let label: String
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.warning

    init(label: String) {
        self.label = label
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        FileHandle.standardError.write(Data("\(event.level) \(label): \(event.message)\n".utf8))
    }
}
