import HTTPTypes
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

    private static let idleTimeout = TimeAmount.seconds(75)

    func run() async throws {
        LoggingSystem.bootstrap(StreamLogHandler.standardError)
        let logger = Logger(label: "latchkey")
        guard let issuer = Issuer("http://127.0.0.1:\(port)") else { throw Unfit("the port makes no issuer") }
        var settings = Settings(issuer: issuer)
        settings.audience = BenchClient.audience
        let database = try await place.open()
        let provider = try await Provider(
            settings: settings,
            store: Store(database),
            profiles: .embedded(),
            secretKey: place.secretKey(),
            ambient: .system(),
            logger: logger
        )
        let router = provider.router()
        FixedAnswer(bodyLimit: settings.bodyLimit).add(to: router)
        let listener = Application(
            responder: router.buildResponder(),
            server: .http1(configuration: .init(idleTimeout: Self.idleTimeout)),
            configuration: .init(address: .hostname("127.0.0.1", port: port)),
            logger: logger
        )
        let services = ServiceGroupConfiguration(
            services: [provider.background(logger: logger), listener],
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: logger
        )
        try await ServiceGroup(configuration: services).run()
        await provider.shutDown()
        await database.close()
    }
}

/// `POST /fixed`: reads and parses a form as every endpoint does, and answers what never changes.
///
/// What a token endpoint can reach at most with this framework: only its own work comes on top.
struct FixedAnswer: Sendable {
    let bodyLimit: Int
    private let answer: ByteBuffer

    init(bodyLimit: Int) {
        self.bodyLimit = bodyLimit
        var writer = JSONWriter()
        writer.member("access_token", String(repeating: "a", count: Self.accessTokenLength))
        writer.member("token_type", "Bearer")
        writer.member("expires_in", 3600)
        writer.member("refresh_token", String(repeating: "r", count: Self.refreshTokenLength))
        writer.member("user_id", String(repeating: "u", count: Self.userIDLength))
        answer = ByteBuffer(bytes: writer.finish())
    }

    /// The lengths of an opaque refresh's members.
    private static let accessTokenLength = 174
    private static let refreshTokenLength = 64
    private static let userIDLength = 30

    func add(to router: Router<DoorContext>) {
        router.post("/fixed") { request, _ in
            let body = try await request.body.collect(upTo: bodyLimit)
            let form = try Form(body.readableBytesView)
            guard form["grant_type"] != nil else { throw HTTPError(.badRequest) }
            return Response(
                status: .ok,
                headers: [
                    .contentType: "application/json", .cacheControl: "no-store", .xContentTypeOptions: "nosniff",
                ],
                body: .init(byteBuffer: answer)
            )
        }
    }
}
