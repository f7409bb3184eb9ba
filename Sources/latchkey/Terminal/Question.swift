import Foundation
import Glibc

/// Questions to the person at the terminal.
enum Question {
    /// Whether somebody is there to answer.
    static var canBeAsked: Bool { isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1 }

    /// Asks before something that cannot be undone.
    ///
    /// Without a terminal a script is at work that has named what it means: it goes on.
    ///
    /// - Parameters:
    ///   - question: what to ask.
    ///   - isAnswered: whether `--yes` was given.
    /// - Throws: a `Complaint` when the answer is no.
    static func confirm(_ question: String, isAnswered: Bool) throws(Complaint) {
        guard !isAnswered, canBeAsked else { return }
        ask("\(question) [y/N] ")
        let answer = readLine()?.lowercased() ?? ""
        guard ["y", "yes"].contains(answer) else { throw Complaint("nothing was changed") }
    }

    /// Asks for a text that is not shown while it is typed.
    static func hidden(_ question: String) -> String? {
        ask(question)
        let silence = Silence()
        defer {
            silence?.end()
            ask("\n")
        }
        return readLine()
    }

    private static func ask(_ text: String) {
        FileHandle.standardError.write(Data(text.utf8))
    }
}

/// A terminal that does not show what is typed, and gets its own way back whatever ends the question.
private struct Silence {
    /// How the terminal was.
    ///
    /// It stands here, `nonisolated(unsafe)`, for the signals' handler, which nothing can be handed to; it is written before
    /// that is set, and one question is asked at a time.
    nonisolated(unsafe) private static var before = termios()

    /// What may end a question; a terminal that hangs up needs nothing back.
    private static let signals = [SIGINT, SIGQUIT, SIGTERM]

    /// What the signals did before.
    private let handlers: [(number: Int32, handler: sighandler_t?)]

    /// Hides what is typed from here on; nil when standard input is no terminal.
    init?() {
        guard tcgetattr(STDIN_FILENO, &Self.before) == 0 else { return nil }
        handlers = Self.signals.map { one in
            // Only what a handler of signals may call: the terminal's way back, and then the signal again, which ends this.
            let earlier = signal(one) { number in
                // In the background it is the shell's by now, and to touch it would stop this process (termios(3)).
                let inFront = tcgetpgrp(STDIN_FILENO)
                if inFront < 0 || inFront == getpgrp() { Silence.restore() }
                signal(number, SIG_DFL)
                raise(number)
            }
            return (one, earlier)
        }
        var silent = Self.before
        silent.c_lflag &= ~tcflag_t(ECHO)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent)
    }

    /// Shows again what is typed.
    func end() {
        Self.restore()
        for (number, handler) in handlers { signal(number, handler) }
    }

    private static func restore() {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &before)
    }
}
