import Foundation

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
        var before = termios()
        let isTerminal = tcgetattr(STDIN_FILENO, &before) == 0
        if isTerminal {
            var silent = before
            silent.c_lflag &= ~tcflag_t(ECHO)
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent)
        }
        defer {
            if isTerminal { tcsetattr(STDIN_FILENO, TCSAFLUSH, &before) }
            ask("\n")
        }
        return readLine()
    }

    private static func ask(_ text: String) {
        FileHandle.standardError.write(Data(text.utf8))
    }
}
