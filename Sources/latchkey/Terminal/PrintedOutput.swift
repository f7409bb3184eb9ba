@preconcurrency import Glibc

/// What was printed to standard output, which may not have arrived there.
enum PrintedOutput {
    /// Sends everything on its way, and finds out whether all of it could be written.
    ///
    /// Whoever has closed a pipe ends the process here with SIGPIPE, as it does with every program, unless that is ignored.
    ///
    /// - Throws: a `Complaint` when something is lost: a script that goes on without it would not know.
    static func finish() throws(Complaint) {
        let code = fflush(stdout) == 0 ? 0 : errno
        // What was too long for the buffer has failed before, and is not tried again.
        guard code != 0 || ferror(stdout) != 0 else { return }
        let reason = code == 0 ? "" : " (\(String(cString: strerror(code))))"
        throw Complaint(
            "standard output cannot be written\(reason): what the command did is done, but what it printed is lost, at least "
                + "in part; look at what is there before it is run again"
        )
    }
}
