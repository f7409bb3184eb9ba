import ArgumentParser
import AsyncHTTPClient
import Glibc
import Hummingbird
import Logging
import NIOCore
import OAuth
import OAuthServer
import OAuthStore
import ServiceLifecycle
import Synchronization
import UnixSignals

/// An opened server: everything between the settings and the sockets.
struct Serving: Sendable {
    let deployment: Deployment
    let settings: Settings
    let store: Store
    let profiles: PartnerProfiles
    let provider: Provider
    let metrics: Metrics
    /// Where spans wait to be sent; nil when nothing is traced.
    let recorder: SpanRecorder?
    let secretKey: SecretKey
    let ambient: Ambient
    let logger: Logger
    /// Whether the database was made, or was empty, at this start.
    let isNew: Bool
    /// With which the sample API asks the server and delivers its webhooks, and spans are sent.
    ///
    /// It shares no connections with the sample partner, who would hold all of them while the API waits for one.
    let httpClient: HTTPClient
    /// With which webhooks are delivered: it follows no redirects.
    let webhookClient: HTTPClient

    /// How long a connection may be silent between requests.
    private static let idleTimeout = TimeAmount.seconds(60)
    /// How many connections may wait to be accepted, if the system allows it: one that finds no place there tries again
    /// after a second.
    private static let backlog = 4096
    /// How many may read the metrics at once on a listener of their own.
    private static let metricsRoom = 16
    /// How long requests that are being answered may take once nothing more is accepted.
    private static let shutdownLimit = Duration.seconds(10)

    /// Opens a server on its migrated database, and closes both afterwards.
    static func with(
        _ deployment: Deployment,
        _ settings: Settings,
        _ log: LineWriter,
        _ work: (Serving) async throws -> Void
    ) async throws {
        // Requests are answered on Swift's own threads; with a loop on each core the two would push each other aside.
        NIOSingletons.groupLoopCountSuggestion = max(1, System.coreCount / 2)
        let profiles = try deployment.profiles()
        let (database, migrations) = try await deployment.openDatabase()
        do {
            let store = deployment.store(on: database)
            try await deployment.catchUpLog(of: store)
            let secretKey = try await deployment.secretKey(for: store)
            let logger = Logger(label: "latchkey")
            try await deployment.warnOfRevived(in: store, logger)
            deployment.keepReserve(on: database, logger)
            let metrics = Metrics(version: Latchkey.configuration.version, logDropped: log.dropped)
            let recorder = deployment.tracesTo.map { _ in
                SpanRecorder(share: deployment.tracesShare.value, random: deployment.ambient.random)
            }
            let provider = try await Provider(
                settings: settings,
                store: store,
                profiles: profiles,
                secretKey: secretKey,
                ambient: deployment.ambient,
                metrics: metrics,
                tracer: recorder,
                logger: logger
            )
            let serving = Serving(
                deployment: deployment,
                settings: settings,
                store: store,
                profiles: profiles,
                provider: provider,
                metrics: metrics,
                recorder: recorder,
                secretKey: secretKey,
                ambient: deployment.ambient,
                logger: logger,
                isNew: migrations.count == Migrations().count,
                httpClient: ownHTTPClient,
                webhookClient: WebhookSender.makeClient()
            )
            let outcome = await Result { () async throws(any Error) in try await work(serving) }
            await provider.shutDown()
            try await serving.httpClient.shutdown()
            try await serving.webhookClient.shutdown()
            try outcome.get()
            await database.close()
        } catch {
            await database.close()
            throw error
        }
    }

    /// Serves until the process is told to end, then finishes what is being answered.
    ///
    /// - Parameters:
    ///   - router: what to serve.
    ///   - addresses: where to listen.
    ///   - flag: the flag by which another address is chosen.
    ///   - whenReady: called once every address accepts connections.
    /// - Throws: a `Complaint` when an address cannot be listened on.
    func run(
        _ router: Router<DoorContext>,
        listeningOn addresses: [ListenAddress],
        chosenBy flag: String,
        whenReady: @escaping @Sendable () -> Void
    ) async throws {
        try refuseTaken(places(addresses, flag))
        let supervisor = Supervisor()
        let doors = FrontDoors(drain: provider.drain)
        let isOpen = opening(of: addresses.count, doors) {
            whenReady()
            supervisor?.tell(.isReady)
        }
        // Shut down from the last to the first: the background work writes what the last requests left.
        let beside: [any Service] = try await [provider.background(logger: logger)] + webhookDelivery() + spanExport
        let signs: [any Service] = supervisor?.signsOfLife.map { [$0] } ?? []
        let listening: [any Service] = metricsListener(isOpen) + signs + listeners(router, addresses, isOpen)
        let shutdown = Shutdown(
            drain: provider.drain,
            doors: doors,
            lasting: deployment.shutdownDrain,
            supervisor: supervisor,
            logger: logger
        )
        do {
            try await shutdown.run(group(of: beside + listening))
        } catch let error as IOError {
            // Somebody took it in between.
            try refuseTaken(places(addresses, flag))
            throw unheard(places(addresses, flag), error.errnoCode)
        }
    }

    /// What each listener is to call once it accepts connections; the last of them tells that all do.
    private func opening(
        of count: Int,
        _ doors: FrontDoors,
        _ whenAllAreOpen: @escaping @Sendable () -> Void
    ) -> @Sendable (any Channel) -> Void {
        let waiting = Waiting(for: count + (deployment.metricsListen == nil ? 0 : 1))
        return { listener in
            doors.add(listener)
            if waiting.isOver() { whenAllAreOpen() }
        }
    }

    /// The listeners of all addresses, which share the open files that there may be.
    private func listeners(
        _ router: Router<DoorContext>,
        _ addresses: [ListenAddress],
        _ isOpen: @escaping @Sendable (any Channel) -> Void
    ) -> [any Service] {
        let responder = router.buildResponder()
        let room = OpenConnections.limit(
            files: OpenFiles.raiseLimit(),
            pool: deployment.pool.size,
            most: deployment.connectionLimit,
            listeners: addresses.count
        )
        return addresses.map { listener(at: $0, responder, room: room, isOpen) }
    }

    /// What listens at an address, and keeps so many connections at most.
    private func listener(
        at address: ListenAddress,
        _ responder: RouterResponder<DoorContext>,
        room: Int,
        _ isOpen: @escaping @Sendable (any Channel) -> Void
    ) -> any Service {
        let connections = OpenConnections(limit: room, gauge: metrics.connections)
        return Application(
            responder: responder,
            server: .http1(
                configuration: .init(
                    additionalChannelHandlers: [IntakeSeat(intake(connections))],
                    idleTimeout: Self.idleTimeout
                )
            ),
            configuration: .init(
                address: .hostname(address.host, port: address.port),
                backlog: Self.backlog,
                availableConnectionsDelegate: Room(limit: room, drain: provider.drain)
            ),
            onServerRunning: { isOpen($0) },
            logger: logger
        )
    }

    /// What lets the requests of a connection in.
    private func intake(_ connections: OpenConnections) -> RequestIntake {
        RequestIntake(
            limit: .init(deployment.arrivalLimit),
            workLimit: deployment.requestLimit,
            bodyLimit: deployment.settings.bodyLimit,
            connections: connections,
            drain: provider.drain,
            metrics: metrics,
            logger: logger
        )
    }

    private func group(of services: [any Service]) -> ServiceGroup {
        // By themselves they would be called by all that they hold, which is long, slow to write and may be secret.
        let named = services.map { service in
            ServiceGroupConfiguration.ServiceConfiguration(service: service, serviceName: "\(type(of: service))")
        }
        var configuration = ServiceGroupConfiguration(services: named, logger: quiet)
        configuration.maximumGracefulShutdownDuration = Self.shutdownLimit
        return ServiceGroup(configuration: configuration)
    }

    /// Where somebody wants to listen, and the flag that chooses another place.
    private typealias Place = (address: ListenAddress, flag: String)

    private func places(_ addresses: [ListenAddress], _ flag: String) -> [Place] {
        let metrics = deployment.metricsListen.map { [(address: $0, flag: "--metrics-listen")] } ?? []
        return addresses.map { (address: $0, flag: flag) } + metrics
    }

    /// Refuses to begin where nobody can listen.
    ///
    /// The listeners that could would complain in the log of having to close again.
    private func refuseTaken(_ places: [Place]) throws(Complaint) {
        let refused = places.compactMap { place in place.address.obstacle.map { (place: place, code: $0) } }
        guard let first = refused.first else { return }
        throw unheard(refused.map(\.place), first.code)
    }

    /// Says on which addresses nobody can listen, why, and what to do.
    private func unheard(_ places: [Place], _ code: Int32) -> Complaint {
        let flags = places.map(\.flag).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        let remedy =
            switch code {
            case EADDRNOTAVAIL, EAFNOSUPPORT: "name an address of this machine"
            case EACCES: "only root may have such a port: choose one above 1023"
            default: "end the program that uses it, or choose another"
            }
        return Complaint(
            "cannot listen on \(places.map(\.address.description).joined(separator: " and ")): "
                + "\(String(cString: strerror(code))); \(remedy) with \(flags.joined(separator: " or "))"
        )
    }

    /// What sends traces, if the settings want it.
    private var spanExport: [any Service] {
        guard let recorder, let url = deployment.tracesTo else { return [] }
        return [SpanExport(recorder: recorder, url: url, client: httpClient, metrics: metrics, logger: logger)]
    }

    /// The listener for metrics alone, if the settings want one.
    private func metricsListener(_ isOpen: @escaping @Sendable (any Channel) -> Void) -> [any Service] {
        guard let address = deployment.metricsListen else { return [] }
        return [listener(at: address, provider.metricsRouter().buildResponder(), room: Self.metricsRoom, isOpen)]
    }

    /// What delivers webhooks, if the settings want them; from now on the ledger writes events, or does not.
    private func webhookDelivery() async throws -> [any Service] {
        let target = try deployment.webhookTarget()
        if try await store.switchWebhooks(on: target != nil), target == nil {
            // A setting that was forgotten on one node would else silence all of them without a word.
            announce("webhooks are off from now on, on every node: the settings here have no webhook-url", .warning)
        }
        return target.map { target in
            [
                WebhookDelivery(
                    store: store,
                    target: target,
                    client: webhookClient,
                    ambient: ambient,
                    metrics: metrics,
                    logger: logger
                )
            ]
        } ?? []
    }

    /// Says what an operator must see, whatever the log level.
    func announce(_ sentence: String, _ level: Logger.Level = .notice) {
        var logger = logger
        logger.logLevel = level
        logger.log(level: level, "\(sentence)")
    }

    /// Tells what is right for some servers and a mistake for others.
    func warnOfSurprises() async throws {
        if isNew {
            announce(
                "made a new, empty database at \(deployment.database.shown): "
                    + "if the server should have one already, correct --database (LATCHKEY_DATABASE)",
                .warning
            )
        }
        if settings.testMode {
            announce(
                "test mode is on: short secrets, http issuers and a moved clock are allowed; it is for developers only",
                .warning
            )
        }
        for surprise in deployment.surprises { announce(surprise, .warning) }
        if case .postgres = deployment.database, deployment.revocationLog == nil {
            logger.notice(
                "no revocation log is kept: a restored backup would bring back what was cut since; set revocation-log (docs/backup.md)"
            )
        }
        let clients = try await store.allClients().clients
        warnOfTestSecrets(clients)
        warnOfPatterns(clients)
    }

    /// Tells which clients cannot be served without test mode.
    private func warnOfTestSecrets(_ clients: [StoredClient]) {
        guard !settings.testMode else { return }
        for client in clients where !client.secrets.isEmpty && client.secrets.allSatisfy(\.isForTests) {
            logger.warning(
                "a client has only a test secret, which works in test mode only: rotate it with 'latchkey client rotate-secret'",
                metadata: ["client": "\(client.registration.id)"]
            )
        }
    }

    /// Tells which clients may lead to hosts that nobody has named.
    private func warnOfPatterns(_ clients: [StoredClient]) {
        for client in clients where client.registration.redirectURIs == nil {
            guard let hosts = client.registration.partner.flatMap({ profiles[$0] })?.rules.redirectHosts, !hosts.isEmpty
            else { continue }
            logger.warning(
                "a client's codes may go to any host below a domain: pin the exact addresses with 'latchkey client update ID --redirect-uri URI'",
                metadata: [
                    "client": "\(client.registration.id)", "below": "\(hosts.map(\.domain).joined(separator: " "))",
                ]
            )
        }
    }

    private static var ownHTTPClient: HTTPClient {
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 64
        configuration.redirectConfiguration = .disallow
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    private var quiet: Logger {
        var logger = logger
        logger.logLevel = max(logger.logLevel, .warning)
        return logger
    }
}

/// Counts down to the moment when the last of several things is ready.
private final class Waiting: Sendable {
    private let left: Mutex<Int>

    init(for count: Int) {
        left = Mutex(count)
    }

    func isOver() -> Bool {
        left.withLock { left in
            left -= 1
            return left == 0
        }
    }
}

/// The addresses of `localhost`: browsers may try either one first.
enum Loopback {
    static func addresses(port: Int) -> [ListenAddress] {
        let four = ListenAddress(host: "127.0.0.1", port: port)
        return hasVersion6 ? [four, ListenAddress(host: "::1", port: port)] : [four]
    }

    /// Whether this machine has the address `::1`; containers often do not.
    private static var hasVersion6: Bool {
        let probe = socket(AF_INET6, Int32(SOCK_STREAM.rawValue), 0)
        guard probe >= 0 else { return false }
        defer { close(probe) }
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_addr = in6addr_loopback
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(probe, $0, socklen_t(MemoryLayout<sockaddr_in6>.size)) == 0
            }
        }
    }
}
