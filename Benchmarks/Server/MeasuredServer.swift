import Hummingbird
import Logging
import NIOCore
import OAuth
import OAuthServer
import OAuthStore
import ServiceLifecycle
import UnixSignals

/// The whole server as `latchkey serve` sets it up, and the ceiling that its figures are compared with.
struct MeasuredServer {
    let place: Place
    let port: Int
    var signIns = 0
    var leavesExpired = false

    private static let idleTimeout = TimeAmount.seconds(60)

    func run() async throws {
        // Requests are answered on Swift's own threads; with a loop on each core the two would push each other aside.
        NIOSingletons.groupLoopCountSuggestion = max(1, System.coreCount / 2)
        LoggingSystem.bootstrap { PlainLog(label: $0) }
        let logger = Logger(label: "latchkey")
        guard let issuer = Issuer("http://127.0.0.1:\(port)") else { throw Unfit("the port makes no issuer") }
        var settings = Settings(issuer: issuer)
        settings.audience = BenchClient.audience
        settings.signingAlgorithm = place.algorithm
        let database = try await place.open()
        let store = Store(database)
        let provider = try await Provider(
            settings: settings,
            store: store,
            profiles: .embedded(),
            secretKey: place.secretKey(),
            ambient: .system(),
            logger: logger
        )
        let arrivals = try await arrivals(store)
        let router = provider.router()
        let answer = Self.fixedAnswer
        router.post("/fixed") { request, _ in
            _ = try await provider.form(request)
            return provider.json(answer)
        }
        let listener = Application(
            responder: router.buildResponder(),
            server: .http1(configuration: .init(idleTimeout: Self.idleTimeout)),
            configuration: .init(address: .hostname("127.0.0.1", port: port)),
            logger: logger
        )
        let services: [any Service] = [provider.background(logger: logger), listener] + arrivals
        let configuration = ServiceGroupConfiguration(
            services: services,
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: logger
        )
        try await ServiceGroup(configuration: configuration).run()
        await provider.shutDown()
        await database.close()
    }

    /// Who signs in beside the requests.
    private func arrivals(_ store: Store) async throws -> [any Service] {
        guard signIns > 0 else { return [] }
        guard signIns.isMultiple(of: Arrivals.perSecond) else {
            throw Unfit("--sign-ins is to be a multiple of \(Arrivals.perSecond): so often a second some come")
        }
        var accounts: [Store.Credentials] = []
        for account in try await store.accounts(matching: "person example", limit: 1000) {
            if let known = try await store.credentials(email: account.email) { accounts.append(known) }
        }
        guard !accounts.isEmpty else { throw Unfit("there are no accounts: run 'prepare' first") }
        return [
            Arrivals(store: store, ambient: .system(), rate: signIns, isExpired: leavesExpired, accounts: accounts)
        ]
    }

    /// What `POST /fixed` answers, once it has read and parsed its form as every endpoint does.
    ///
    /// It has the shape and the size of an opaque refresh's answer and costs nothing to make, so no endpoint can be faster.
    private static var fixedAnswer: [UInt8] {
        var writer = JSONWriter()
        writer.member("access_token", String(repeating: "a", count: 174))
        writer.member("token_type", "Bearer")
        writer.member("expires_in", 3600)
        writer.member("refresh_token", String(repeating: "r", count: 64))
        writer.member("user_id", String(repeating: "u", count: 30))
        return writer.finish()
    }
}
