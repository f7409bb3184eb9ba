import Foundation
import Hummingbird
import OAuth
import OAuthServer
import OAuthStore
import SamplePartner

/// What the demo has besides the server: a partner's registration, and somebody to sign in as.
struct Demo: Sendable {
    let serving: Serving
    /// The address that people open.
    let origin: String

    private static let email = "ada@example.com"
    private static let password = Secret("open-sesame-42")
    private static let client = "sample-partner"

    /// What the sample API has scopes for, in the words of the consent page.
    static let scopes = [
        ScopeWords(
            name: "locks.read",
            words: [
                "en": "See your locks and whether they are locked",
                "de": "Ihre Schlösser sehen, und ob sie verschlossen sind",
            ]
        ),
        ScopeWords(
            name: "locks.write",
            words: [
                "en": "Lock and unlock your locks, and manage their access codes",
                "de": "Ihre Schlösser öffnen und schließen und ihre Zugangscodes verwalten",
            ]
        ),
    ]

    /// Makes the client and the account, unless an earlier run did.
    func prepare() async throws {
        var registration = ClientRegistration(id: Self.client, name: "Sample Partner")
        registration.redirectURIs = [redirectURI]
        registration.scopes = Self.scopes.map(\.name)
        try await serving.keep(registration, secret: secret)
        try await prepareAccount()
    }

    /// Mounts the partner's pages on the server's own router, which takes a path and method once.
    /// - Throws: `PartnerProfileError` when a profile has one of their paths.
    func mountPartner(on router: Router<DoorContext>) throws {
        let alone = Router(context: DoorContext.self)
        addPartner(to: alone)
        let paths = Set(alone.routes.map(\.path.description))
        try serving.profiles.refusePaths { path in
            paths.contains(path)
                ? "the sample partner's in a demo: choose another, or run the demo without the setting partners" : nil
        }
        addPartner(to: router)
    }

    private func addPartner(to router: Router<DoorContext>) {
        addSamplePartner(
            to: router,
            settings: SamplePartnerSettings(
                authorizeURL: origin + "/oauth/authorize",
                tokenURL: origin + "/oauth/token",
                apiBase: origin,
                clientID: Self.client,
                clientSecret: secret.reveal(),
                redirectURI: redirectURI,
                scopes: Self.scopes.map(\.name),
                name: "Sample Partner",
                triesConnectionsOut: true
            )
        )
    }

    /// Tells what to open, and whom to sign in as.
    func greet(folder: String) {
        let ink = Ink.output
        print(
            """

              \(ink.bold("Latchkey is ready."))

              Open      \(ink.link(origin))
              Sign in   \(ink.green(Self.email))
              Password  \(ink.green(Self.password.reveal()))

              Press "Connect your locks", sign in, and allow it: you come back to the partner with tokens.

              \(ink.faint("Metadata  \(origin)/.well-known/oauth-authorization-server"))
              \(ink.faint("Database  \(serving.deployment.database.shown)"))
              \(ink.faint("Inspect   \(inspect)"))
              \(ink.faint("End       Ctrl-C; accounts and connections are kept in \(folder)"))

            """
        )
        flushOutput()
    }

    /// A command that works as it is printed, from any folder.
    private var inspect: String {
        let program = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? "latchkey"
        return [program, "connection", "list", "--database", serving.deployment.database.shown]
            .map(\.quotedForShell).joined(separator: " ")
    }

    private var redirectURI: String { origin + "/oauth/callback" }

    private var secret: Secret { serving.secretKey.secret(for: "sample partner") }

    /// The account with the printed password, also when somebody has changed or disabled it in an earlier run.
    private func prepareAccount() async throws {
        let hasher = PasswordHasher(threads: 1)
        let outcome = await Result { () async throws(any Error) in try await prepareAccount(hasher) }
        await hasher.shutDown()
        try outcome.get()
    }

    private func prepareAccount(_ hasher: PasswordHasher) async throws {
        let store = serving.store
        guard let known = try await store.credentials(email: Self.email) else {
            let account = Store.NewAccount(
                id: AccountID(random: serving.ambient.random),
                email: Self.email,
                name: "Ada Lovelace",
                passwordHash: try await hasher.hash(Self.password)
            )
            _ = try await store.create(account, by: .server, now: serving.ambient.now())
            return
        }
        let now = serving.ambient.now()
        if known.account.disabledAt != nil {
            _ = try await store.change(known.account.id, .disabled(at: nil), by: .server, now: now)
        }
        guard try await hasher.check(Self.password, against: known.passwordHash) != .right else { return }
        let hash = try await hasher.hash(Self.password)
        _ = try await store.change(known.account.id, .passwordHash(hash), by: .server, now: now)
    }
}

extension String {
    /// The text as one word of a shell's command line.
    fileprivate var quotedForShell: String {
        let isPlain = utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "-")...UInt8(ascii: ":"), UInt8(ascii: "_"), UInt8(ascii: "+"), UInt8(ascii: "@"):
                true
            default: false
            }
        }
        return isPlain ? self : "'" + replacing("'", with: #"'\''"#) + "'"
    }
}
