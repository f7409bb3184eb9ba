/// A server on a database of its own, with a clock that stands still and randomness that repeats.
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import OAuth
import OAuthStore
import Synchronization
import TestBackends
import Testing

@testable import OAuthServer

/// One node, and everything that a test may turn on it.
struct TestServer: Sendable {
    let provider: Provider
    let store: Store
    /// The database between the server and the real one.
    let rigged: RiggedDatabase
    /// Where the real one is.
    let storage: Storage
    let clock: TestClock
    let account: AccountID
    fileprivate let http: any TestClientProtocol

    static let issuer = "https://id.example.com"
    static let callback = "https://client.example.com/cb"
    static let api = "https://rs.example.com/"
    static let email = "jane@example.com"
    static let password = "correct horse battery staple"
    /// RFC 6749 §2.3.1.
    static let secret = "7Fjfp0ZBr1KtDRbnfVdmIw"
    /// RFC 7636 appendix B.
    static let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    static let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    static let secretKey = key(1)
    static let passwordHash = (try? Argon2id.hash(password, salt: [UInt8](repeating: 1, count: 16))) ?? ""
    /// It prints nothing, but keeps what it is told of a request: the request's id comes from there.
    static let quiet = Logger(label: "test") { label in
        var handler = StreamLogHandler.standardError(label: label)
        handler.logLevel = .critical
        return handler
    }

    /// A secret key that consists of one byte.
    static func key(_ byte: UInt8) -> SecretKey {
        guard let key = SecretKey(bytes: [UInt8](repeating: byte, count: 32)) else { preconditionFailure("32 bytes") }
        return key
    }

    static func settings(_ issuer: String = issuer) throws -> Settings {
        var settings = Settings(issuer: try #require(Issuer(issuer)))
        settings.scopes = [
            ScopeWords(name: "read", words: ["en": "Read"]), ScopeWords(name: "write", words: ["en": "Write"]),
        ]
        settings.audience = api
        return settings
    }

    /// A further node on the same database.
    func anotherNode() async throws -> Provider {
        try await Provider(
            settings: provider.settings,
            store: Store(try storage.open()),
            profiles: try .embedded(),
            secretKey: Self.secretKey,
            ambient: clock.ambient,
            logger: Self.quiet
        )
    }
}

/// A clock that moves only when a test moves it.
final class TestClock: Sendable {
    private let time = Mutex(Instant(seconds: 1_618_354_090))
    private let generator = Mutex(SeededGenerator())

    var now: Instant { time.withLock { $0 } }

    func advance(_ duration: Duration) {
        time.withLock { $0 = $0 + duration }
    }

    var ambient: Ambient {
        Ambient(now: { self.now }, random: { count in self.generator.withLock { $0.bytes(count) } })
    }
}

/// SplitMix64.
private struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64 = 7

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &self) }
    }
}

extension Backend {
    /// Runs `body` on a store of a migrated database that is gone afterwards.
    func withStore<Result>(_ body: (Store, Storage) async throws -> Result) async throws -> Result {
        try await withStorage { storage in
            let database = try storage.open()
            return try await doing {
                try await Migrations().run(on: database)
                return try await body(Store(database), storage)
            } finally: {
                await database.close()
            }
        }
    }

    /// Runs `body` on a server that is gone afterwards.
    ///
    /// By `.live` its requests go over a socket, one at a time; by `.router` straight to the router.
    func withServer<Result: Sendable>(
        _ setup: TestingSetup = .router,
        issuer: String = TestServer.issuer,
        change: (inout Settings) -> Void = { _ in },
        _ body: @escaping @Sendable (TestServer) async throws -> Result
    ) async throws -> Result {
        var settings = try TestServer.settings(issuer)
        change(&settings)
        let clock = TestClock()
        return try await withStorage { [settings] storage in
            let rigged = RiggedDatabase(try storage.open())
            return try await doing {
                try await Migrations().run(on: rigged)
                let store = Store(rigged)
                let account = try await store.fill(now: clock.now)
                let provider = try await Provider(
                    settings: settings,
                    store: store,
                    profiles: try .embedded(),
                    secretKey: TestServer.secretKey,
                    ambient: clock.ambient,
                    logger: TestServer.quiet
                )
                let application = Application(router: provider.router(), logger: TestServer.quiet)
                let result = try await application.test(setup) { client in
                    try await body(
                        TestServer(
                            provider: provider,
                            store: store,
                            rigged: rigged,
                            storage: storage,
                            clock: clock,
                            account: account,
                            http: client
                        )
                    )
                }
                await provider.shutDown()
                return result
            } finally: {
                await rigged.close()
            }
        }
    }
}

extension Store {
    /// Makes the clients and the account that every test server has.
    fileprivate func fill(now: Instant) async throws -> AccountID {
        let secret = ClientSecret(digest: SecretDigest(of: TestServer.secret), isForTests: false)
        var client = ClientRegistration(id: "s6BhdRkqt3", name: "Example Partner")
        client.redirectURIs = [TestServer.callback]
        client.grants = GrantType.allCases.map(\.rawValue)
        var resourceServer = ClientRegistration(id: "rs", name: "The API")
        resourceServer.grants = []
        resourceServer.audiences = [TestServer.api]
        for registration in [client, resourceServer] {
            #expect(try await register(registration, secret: secret, by: .server, now: now))
        }
        let id = try #require(AccountID(bytes: [UInt8](repeating: 1, count: 16)))
        let account = NewAccount(id: id, email: TestServer.email, name: "Jane", passwordHash: TestServer.passwordHash)
        let made = try await create(account, by: .server, now: now)
        return try #require(made).id
    }
}

// MARK: - Requests

/// An answer of the server, read.
struct Answer: Sendable {
    let status: Int
    let headers: HTTPFields
    let text: String

    /// The members of its JSON object.
    var json: [String: Any] {
        get throws { try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]) }
    }

    /// A text member of its JSON object.
    func member(_ name: String) throws -> String { try #require(try json[name] as? String) }

    /// The sealed authorization in its forms.
    var transaction: String {
        get throws { try #require(values(of: "name=\"transaction\" value").first) }
    }

    /// Where its forms go.
    var actions: [String] { values(of: "action") }

    /// Every value of an attribute.
    func values(of attribute: String) -> [String] {
        text.components(separatedBy: attribute + "=\"").dropFirst().compactMap {
            $0.components(separatedBy: "\"").first
        }
    }

    /// The parameters of its `Location`.
    func parameter(_ name: String) throws -> String? {
        let location = try #require(headers[.location])
        return URLComponents(string: location)?.queryItems?.first { $0.name == name }?.value
    }
}

extension TestServer {
    func request(
        _ method: HTTPRequest.Method,
        _ uri: String,
        headers: HTTPFields = [:],
        form: KeyValuePairs<String, String>? = nil
    ) async throws -> Answer {
        var headers = headers
        if form != nil { headers[.contentType] = "application/x-www-form-urlencoded" }
        let body = form.map { ByteBuffer(string: Form($0).encoded) }
        let response = try await http.execute(uri: uri, method: method, headers: headers, body: body)
        return Answer(status: response.status.code, headers: response.headers, text: String(buffer: response.body))
    }

    /// A POST by the partner, who shows its secret by Basic.
    func post(_ path: String, as client: String = "s6BhdRkqt3", _ form: KeyValuePairs<String, String>) async throws
        -> Answer
    {
        let credentials = Data("\(client):\(Self.secret)".utf8).base64EncodedString()
        return try await request(
            .post,
            provider.settings.issuer.path + path,
            headers: [.authorization: "Basic \(credentials)"],
            form: form
        )
    }

    /// The link that the partner sends people to.
    func authorizationLink(_ more: String = "") -> String {
        let parameters = Form([
            "response_type": "code", "client_id": "s6BhdRkqt3", "redirect_uri": Self.callback, "state": "xyz",
            "scope": "read", "code_challenge": Self.challenge, "code_challenge_method": "S256",
        ])
        return "\(provider.settings.issuer.path)/oauth/authorize?\(parameters.encoded)\(more)"
    }

    /// Redeems a code.
    func redeem(_ code: String) async throws -> Answer {
        try await post(
            "/oauth/token",
            [
                "grant_type": "authorization_code", "code": code, "redirect_uri": Self.callback,
                "code_verifier": Self.verifier,
            ]
        )
    }

    /// Refreshes.
    func refresh(_ token: String) async throws -> Answer {
        try await post("/oauth/token", ["grant_type": "refresh_token", "refresh_token": token])
    }

    /// Whether the API is told that a token is good.
    func isActive(_ token: String) async throws -> Bool {
        let answer = try await post("/oauth/introspect", as: "rs", ["token": token])
        return try answer.json["active"] as? Bool ?? false
    }

    /// Signs the account in unless it is, allows the partner's request and gives the code.
    func code(_ browser: TestBrowser, signedIn: Bool = false) async throws -> String {
        let first = try await browser.get(authorizationLink())
        let consent = signedIn ? first : try await browser.signIn(at: first)
        let allowed = try await browser.submit(consent, ["decision": "allow"])
        return try #require(try allowed.parameter("code"))
    }
}

/// A browser: it keeps cookies and sends forms.
actor TestBrowser {
    private let server: TestServer
    /// The cookies, by name.
    private(set) var cookies: [String: String] = [:]

    init(_ server: TestServer) {
        self.server = server
    }

    func get(_ uri: String) async throws -> Answer {
        take(try await server.request(.get, uri, headers: headers))
    }

    /// Sends a page's form.
    func submit(_ page: Answer, _ fields: KeyValuePairs<String, String>) async throws -> Answer {
        let action = try #require(page.actions.first)
        let transaction = try page.transaction
        var pairs: [(String, String)] = [("transaction", transaction)]
        pairs += fields.map { ($0.key, $0.value) }
        let encoded = pairs.map { "\($0.0)=\(PercentEncoding.encode($0.1))" }.joined(separator: "&")
        return take(try await server.send(encoded, to: action, headers: headers))
    }

    /// Sends the sign-in form, and goes where it leads.
    func signIn(at page: Answer, password: String = TestServer.password) async throws -> Answer {
        let answer = try await submit(page, ["email": TestServer.email, "password": password])
        guard answer.status == 303, let location = answer.headers[.location], location.hasPrefix("/") else {
            return answer
        }
        return try await get(location)
    }

    private var headers: HTTPFields {
        guard !cookies.isEmpty else { return [:] }
        return [.cookie: cookies.map { "\($0.key)=\($0.value)" }.sorted().joined(separator: "; ")]
    }

    private func take(_ answer: Answer) -> Answer {
        for header in answer.headers[values: .setCookie] {
            let pair = header.prefix { $0 != ";" }.split(separator: "=", maxSplits: 1)
            if pair.count == 2 { cookies[String(pair[0])] = String(pair[1]) }
        }
        return answer
    }
}

extension TestServer {
    fileprivate func send(_ form: String, to uri: String, headers: HTTPFields) async throws -> Answer {
        var headers = headers
        headers[.contentType] = "application/x-www-form-urlencoded"
        let response = try await http.execute(uri: uri, method: .post, headers: headers, body: ByteBuffer(string: form))
        return Answer(status: response.status.code, headers: response.headers, text: String(buffer: response.body))
    }
}
