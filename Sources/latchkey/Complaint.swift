/// What stops a command: one line that says what was wrong and what to do.
struct Complaint: Error, CustomStringConvertible {
    let description: String

    init(_ sentence: String) {
        description = sentence
    }
}
