package import Foundation

/// Where tests put what they make.
package enum TestFolder {
    /// A place of its own, where nothing is yet; whoever makes it takes it away.
    ///
    /// It is in the folder that `LATCHKEY_TEST_FOLDER` names, which scripts/test takes away however the run ended.
    package static func place() -> URL {
        let named = ProcessInfo.processInfo.environment["LATCHKEY_TEST_FOLDER"].map { URL(fileURLWithPath: $0) }
        return (named ?? FileManager.default.temporaryDirectory).appending(path: "latchkey-\(UUID())")
    }
}
