import Glibc
import Logging
import OAuthServer
import ServiceLifecycle
import UnixSignals

/// How a server ends: it says so, goes on serving for a while, then finishes what is being answered.
struct Shutdown: Sendable {
    let drain: Drain
    let doors: FrontDoors
    /// How long it goes on serving.
    let duration: Duration
    /// Who wants to know.
    let supervisor: Supervisor?
    let logger: Logger
    private let wasOnTerminal = Self.isOnTerminal

    /// Within which time a signal that comes again was sent once: timeout(1) and the like tell a process, and then its group.
    private static let echo = Duration.milliseconds(200)

    init(drain: Drain, doors: FrontDoors, lasting duration: Duration, supervisor: Supervisor?, logger: Logger) {
        self.drain = drain
        self.doors = doors
        self.duration = duration
        self.supervisor = supervisor
        self.logger = logger
    }

    /// Runs services until SIGTERM or SIGINT; a second signal ends the process at once.
    ///
    /// SIGHUP ends nothing, unless it tells that the terminal is gone on which this was started.
    func run(_ group: ServiceGroup) async throws {
        try await withThrowingTaskGroup(of: Bool.self) { tasks in
            let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint, .sighup)
            tasks.addTask {
                try await group.run()
                return true
            }
            tasks.addTask {
                await self.obey(signals, group)
                return false
            }
            while let isOver = try await tasks.next(), !isOver {}
            tasks.cancelAll()
        }
    }

    /// Whether there is a terminal that takes the log; of one that has hung up, the system says no.
    private static var isOnTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    private func obey(_ signals: UnixSignalsSequence, _ group: ServiceGroup) async {
        await withDiscardingTaskGroup { waiting in
            var told: (signal: UnixSignal, at: ContinuousClock.Instant)?
            for await signal in signals {
                if signal == .sighup {
                    guard wasOnTerminal, !Self.isOnTerminal else {
                        // What many programs take for "read your settings again" must not end this one.
                        logger.notice("SIGHUP changes nothing: settings are read at the start, so restart for new ones")
                        continue
                    }
                    // Shells pass on what the system has said already.
                    guard told == nil else { continue }
                }
                if let told {
                    // A terminal that goes away may say so in two ways.
                    let isEcho = signal == told.signal || told.signal == .sighup
                    guard !isEcho || told.at.duration(to: .now) > Self.echo else { continue }
                    logger.warning("told to end a second time: ending at once")
                    // The shell's number for a program that a signal ended.
                    _exit(128 + signal.rawValue)
                }
                told = (signal, .now)
                drain.begin()
                supervisor?.tell(.isStopping)
                if duration > .zero {
                    logger.notice("told to end: not ready any more, and serving for another \(duration)")
                }
                waiting.addTask {
                    try? await Task.sleep(for: duration)
                    await doors.shut()
                    await group.triggerGracefulShutdown()
                }
            }
        }
    }
}
