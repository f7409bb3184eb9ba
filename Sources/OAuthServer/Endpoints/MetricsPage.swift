import HTTPTypes
public import Hummingbird
import NIOCore
import OAuth
import OAuthStore

/// `/metrics`: the numbers of this node, for Prometheus.
extension Provider {
    /// Its route, unless it has a listener of its own.
    var metricsRoutes: [Route] {
        settings.metricsReaders == nil ? [] : [.json([.get], Paths.metrics, at: .rootToo, Provider.metricsPage)]
    }

    /// `GET /metrics` beside the other endpoints, for the addresses that the settings name.
    func metricsPage(_ request: Request, _ context: DoorContext) async throws -> Response {
        let readers = settings.metricsReaders ?? []
        let source = address(request, context)
        // A proxy that is not known hides who asks: its own address, often loopback, says nothing.
        let isNamed = isTrusted(context.peer) && request.headers.contains(.xForwardedFor)
        let isHidden = !isNamed && Self.forwarding.contains { request.headers.contains($0) }
        guard !isHidden, let reader = IPAddress(source), readers.contains(where: { $0.contains(reader) }) else {
            observe(.metricsRefused(address: source), context)
            let error = OAuthError(
                .accessDenied,
                "this address may not read the metrics: metrics-from names those that may, metrics-listen an address for them "
                    + "alone, and trusted-proxies the proxies that are believed about who asks"
            )
            throw PageRefusal(problem: .known(.badRequest), error: error, status: .forbidden)
        }
        return exposition
    }

    /// What a listener of its own serves: the metrics to whoever reaches it, and whether this node lives and can serve.
    public func metricsRouter() -> Router<DoorContext> {
        let router = Router(context: DoorContext.self)
        router.addMiddleware { EveryAnswer(provider: self) }
        router.get(RouterPath(Paths.metrics)) { _, _ in self.exposition }
        for route in routes where ["/healthz", "/readyz"].contains(route.path) {
            router.get(RouterPath(route.path), use: route.endpoint(self))
        }
        return router
    }

    /// What proxies add to a request.
    private static let forwarding: [HTTPField.Name] = [
        .xForwardedFor, .forwarded, .xRealIP, .via, .xForwardedProto, .xForwardedHost, .cfConnectingIP, .trueClientIP,
    ]

    private var exposition: Response {
        Response(
            status: .ok,
            headers: [
                .contentType: Exposition.mediaType, .cacheControl: "no-store", .xContentTypeOptions: "nosniff",
            ],
            body: .init(byteBuffer: ByteBuffer(string: metricsText()))
        )
    }

    /// Everything, as text.
    func metricsText() -> String {
        var page = Exposition()
        page.begin(.buildInfo)
        page.sample(.buildInfo, [("version", metrics.version), ("engine", store.engine.rawValue)], 1)
        writeRequests(&page)
        writeEvents(&page)
        writeDatabase(&page)
        writeNode(&page)
        writeProcess(&page)
        return page.text
    }

    private func writeRequests(_ page: inout Exposition) {
        let (meters, durations) = metrics.requests.reading
        page.begin(.requests)
        for meter in meters {
            for (status, count) in meter.reading {
                page.sample(
                    .requests,
                    [("endpoint", meter.endpoint), ("method", meter.method), ("status", status)],
                    count
                )
            }
        }
        page.begin(.requestDuration)
        for (endpoint, histogram) in durations {
            page.histogram(.requestDuration, [("endpoint", endpoint)], histogram)
        }
        page.single(.connections, metrics.connections.value)
        page.series(.cutRequests, "reason", metrics.cutRequests.reading)
    }

    private func writeEvents(_ page: inout Exposition) {
        page.begin(.grants)
        for (grant, outcome, count) in metrics.grants.reading {
            page.sample(.grants, [("grant", grant), ("outcome", outcome)], count)
        }
        page.single(.connected, metrics.connected.value)
        page.single(.disconnected, metrics.disconnected.value)
        page.begin(.signIns)
        for (person, counters) in [("customer", metrics.customerSignIns), ("operator", metrics.operatorSignIns)] {
            for (outcome, count) in counters.reading {
                page.sample(.signIns, [("person", person), ("outcome", outcome)], count)
            }
        }
        page.series(.securityEvents, "event", metrics.eventCounts)
    }

    private func writeDatabase(_ page: inout Exposition) {
        page.series(.databaseFaults, "kind", metrics.databaseFaults.reading)
        let usage = store.usage
        page.series(.databaseConnections, "state", [("busy", UInt64(usage.busy)), ("idle", UInt64(usage.idle))])
        page.single(.databaseWaiting, usage.waiting)
        page.single(.databaseWaits, usage.waits)
        page.series(.databaseRefusals, "reason", [("busy", usage.refusals), ("away", usage.outageRefusals)])
        page.single(.databaseCommits, usage.commits)
        page.single(.databaseTransactions, usage.transactions)
        page.single(.databaseHazards, node.hazards.count)
    }

    private func writeNode(_ page: inout Exposition) {
        let now = ambient.now()
        let (customers, operators) = (signInDesk.passwords, console.desk)
        page.series(
            .passwordQueue,
            "person",
            [("customer", UInt64(customers.inside)), ("operator", UInt64(operators.inside))]
        )
        page.series(
            .passwordRefusals,
            "person",
            [("customer", customers.refusals), ("operator", operators.refusals)]
        )
        page.single(.snapshotAge, node.age(at: now).inSeconds)
        let keys = node.keys
        page.single(.signingKeys, keys.published(at: now).count)
        let (since, next) = keys.turns(at: now)
        page.single(.signingKeyAge, since.map { (now - $0).inSeconds } ?? 0)
        page.single(.signingKeyNext, next.map { ($0 - now).inSeconds } ?? 0)
        page.single(.outbox, metrics.outbox.count.value)
        let oldest = metrics.outbox.oldest.value
        page.single(.outboxAge, oldest == 0 ? 0 : max(0, (now - Instant(milliseconds: oldest)).inSeconds))
        page.series(.webhookAttempts, "outcome", metrics.webhookAttempts.reading)
        page.series(.sweeps, "outcome", metrics.sweeps.reading)
        page.series(.sweptRows, "table", metrics.sweptRows.map { (label: $0.table, count: $0.count) })
        page.series(.spans, "outcome", metrics.spans.reading)
        page.single(.logDropped, metrics.logDropped.value)
    }

    private func writeProcess(_ page: inout Exposition) {
        let process = ProcessReading()
        page.single(.processCPU, process.cpu ?? .nan)
        page.single(.processMemory, process.memory ?? 0)
        page.single(.processFiles, process.files ?? 0)
        page.single(.processFileLimit, process.fileLimit ?? 0)
        page.single(.processStart, process.start ?? .nan)
    }
}

extension Exposition {
    /// A family whose samples differ in one label.
    fileprivate mutating func series(_ family: Family, _ name: String, _ values: [(label: String, count: UInt64)]) {
        begin(family)
        for (label, count) in values { sample(family, [(name, label)], count) }
    }
}

extension Duration {
    /// In seconds, with what is behind the point.
    fileprivate var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }
}
