import Foundation
import Glibc

/// Colours for people: only on a terminal, and only when they want them (no-color.org).
struct Ink: Sendable {
    let isOn: Bool

    /// The ink of standard output or standard error.
    init(on stream: Int32) {
        let environment = ProcessInfo.processInfo.environment
        isOn = isatty(stream) == 1 && (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
    }

    /// The ink of standard output.
    static var output: Ink { Ink(on: STDOUT_FILENO) }

    func bold(_ text: String) -> String { wrapped(text, "1") }
    func faint(_ text: String) -> String { wrapped(text, "2") }
    func green(_ text: String) -> String { wrapped(text, "32") }
    func yellow(_ text: String) -> String { wrapped(text, "33") }
    func red(_ text: String) -> String { wrapped(text, "31") }

    /// A link that terminals make clickable (OSC 8); its text is the address itself, so that nothing is lost elsewhere.
    func link(_ url: String) -> String {
        isOn ? "\u{1B}]8;;\(url)\u{1B}\\\u{1B}[4m\(url)\u{1B}[0m\u{1B}]8;;\u{1B}\\" : url
    }

    private func wrapped(_ text: String, _ code: String) -> String {
        isOn && !text.isEmpty ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }
}

/// Writes one line to standard error, in one piece, so that lines of several threads do not mix.
///
/// What cannot be written is lost: a full disk under a log must not end a server.
func say(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    _ = write(STDERR_FILENO, bytes, bytes.count)
}

/// Writes a warning to standard error.
func warn(_ sentence: String) {
    say("latchkey: " + Ink(on: STDERR_FILENO).yellow("warning:") + " " + sentence.plain)
}

/// Sends what was printed on its way; a pipe would keep it back.
func flushOutput() {
    fflush(nil)
}
