import Glibc

/// How many files and sockets this process may hold open.
enum OpenFiles {
    /// Raises the soft limit to the hard one: shells give 1024, which a few hundred silent sockets would use up.
    ///
    /// - Returns: the limit that holds now.
    static func raiseLimit() -> Int {
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0 else { return cautious }
        let soft = limit.rlim_cur
        limit.rlim_cur = limit.rlim_max
        if setrlimit(resource, &limit) != 0 { limit.rlim_cur = soft }
        return Int(clamping: limit.rlim_cur)
    }

    /// What every system gives at least.
    private static let cautious = 256
    private static let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
}
