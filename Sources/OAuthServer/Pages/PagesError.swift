// What is wrong with the brand or with the folder of templates that the settings name.

/// A fault in the settings of the pages, told in one sentence that names the value and the fix.
public struct PagesError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The sentence for the person who wrote the settings.
    public let description: String

    init(_ sentence: String) {
        description = sentence
    }
}
