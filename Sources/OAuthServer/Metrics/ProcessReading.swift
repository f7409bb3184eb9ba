import Glibc

/// What the system tells of this process (proc(5)); what it does not tell is missing.
struct ProcessReading {
    /// User and system time, in seconds.
    var cpu: Double?
    /// Resident memory, in bytes.
    var memory: Int?
    /// Open file descriptors.
    var files: Int?
    /// How many may be open.
    var fileLimit: UInt?
    /// When it started, in seconds since 1970.
    var start: Double?

    init() {
        var usage = rusage()
        if getrusage(Self.itself, &usage) == 0 {
            cpu = Self.seconds(usage.ru_utime) + Self.seconds(usage.ru_stime)
        }
        if let pages = Self.words("/proc/self/statm").dropFirst().first.flatMap({ Int($0) }) {
            memory = pages * Self.pageSize
        }
        files = Self.openFiles
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 { fileLimit = UInt(limit.rlim_cur) }
        start = Self.startTime
    }

    private static let itself = __rusage_who_t(RUSAGE_SELF.rawValue)
    private static let pageSize = sysconf(Int32(_SC_PAGESIZE))
    private static let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))

    private static func seconds(_ time: timeval) -> Double {
        Double(time.tv_sec) + Double(time.tv_usec) / 1e6
    }

    private static var openFiles: Int? {
        guard let folder = opendir("/proc/self/fd") else { return nil }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        return count - 3  // without `.`, `..` and the folder itself
    }

    /// It stays the same, so it is worked out once.
    ///
    /// Only `/proc/self` is read: the unit hides the rest (`ProcSubset=pid`).
    private static let startTime: Double? = {
        // The second field is the program's name in parentheses, which may hold anything.
        let stat = text("/proc/self/stat")
        guard let end = stat.lastIndex(of: UInt8(ascii: ")")),
            let started = split(Array(stat[end...])).dropFirst(20).first.flatMap({ Double($0) })
        else { return nil }
        return time(of: CLOCK_REALTIME) - time(of: CLOCK_BOOTTIME) + started / ticks
    }()

    private static func time(of clock: clockid_t) -> Double {
        var time = timespec()
        clock_gettime(clock, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    private static func words(_ path: String) -> [String] { split(text(path)) }

    private static func split(_ bytes: [UInt8]) -> [String] {
        bytes.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") }.map { String(decoding: $0, as: UTF8.self) }
    }

    private static func text(_ path: String) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return [] }
        defer { close(file) }
        var text: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = read(file, &piece, piece.count)
            guard count > 0 else { return text }
            text += piece.prefix(count)
        }
    }
}
