import Crypto
public import Logging
public import OAuth
public import OAuthStore

/// The authorization server: one immutable value that every endpoint is an extension of, one file each.
///
/// It is a class because each request takes hold of it: a structure's members would all be retained one by one, by all
/// cores at once.
public final class Provider: Sendable {
    /// What the operator set.
    let settings: Settings
    /// The ledger.
    let store: Store
    /// What this node keeps in memory: clients, keys, and uses that are yet to be written.
    let node: Node
    /// What people see.
    let pages: Pages
    /// Where people prove who they are.
    let signInDesk: SignInDesk
    /// What this node has noticed of callers that are wrong.
    let suspicions: Suspicions
    /// What binds to a browser what it carries.
    let seals: Seals
    /// Where operators come in.
    let console: Console
    /// Time and randomness.
    let ambient: Ambient
    /// Whether the server is about to end.
    public let drain = Drain()
    /// What traces requests; nil when they are not.
    let tracer: SpanRecorder?

    /// Opens a server on a migrated database.
    ///
    /// - Parameters:
    ///   - settings: what the operator set.
    ///   - store: the ledger.
    ///   - profiles: the partner profiles.
    ///   - secretKey: the key that is kept outside the database.
    ///   - ambient: time and randomness.
    ///   - metrics: what is counted with.
    ///   - tracer: what traces requests; nil when they are not.
    ///   - logger: where what happens without a request is told.
    /// - Throws: `PartnerProfileError`, `PagesError`, `KeyCabinet.Failure` or `SQLError`, each with a sentence for the operator.
    public init(
        settings: Settings,
        store: Store,
        profiles: PartnerProfiles,
        secretKey: SecretKey,
        ambient: Ambient,
        metrics: Metrics = Metrics(),
        tracer: SpanRecorder? = nil,
        logger: Logger
    ) async throws {
        // The templates are read while the ledger is asked.
        async let pages = Pages(brand: settings.brand, basePath: settings.issuer.path, overrides: settings.templates)
        let store = store.watched { fault in
            if let kind = DatabaseFault(fault) { metrics.databaseFaults[kind].add() }
            guard case .inDoubt = fault else { return }
            metrics.tell(.inDoubt, "\(fault)", .error, to: .current)
        }
        let cabinet = KeyCabinet(store: store, secretKey: secretKey, logger: logger)
        try await cabinet.prepare(settings.signingAlgorithm, lead: settings.keyLead, now: ambient.now())
        self.settings = settings
        self.store = store
        self.ambient = ambient
        self.tracer = tracer
        let loader = ClientLoader(store: store, profiles: profiles, scopes: settings.scopes, logger: logger)
        node = try await Node(
            store: store,
            loader: loader,
            cabinet: cabinet,
            now: ambient.now,
            metrics: metrics,
            logger: logger
        )
        await node.checkHazards(ambient.clock)
        self.pages = try await pages
        signInDesk = SignInDesk(
            store: store,
            settings: settings,
            deviceKey: secretKey.derived(for: "known devices"),
            random: ambient.random
        )
        suspicions = Suspicions(settings)
        seals = Seals(
            account: AccountSeal(secretKey: secretKey),
            transactions: TransactionSeal(secretKey: secretKey, epoch: try await store.epoch())
        )
        console = Console(store: store, settings: settings, secretKey: secretKey)
        try profiles.refuseOwnPaths()
    }

    /// Ends what the server started; its background work must have ended before.
    public func shutDown() async {
        await signInDesk.shutDown()
        await console.desk.shutDown()
    }

    /// The keys of the moment, for one request.
    func mint(now: Instant) -> TokenMint {
        TokenMint(issuer: settings.issuer.text, keys: node.keys, now: now)
    }

    /// The audiences of the moment.
    var audiences: Audiences {
        Audiences(fallback: settings.audience, others: node.clients.audiences)
    }

    /// The client with an id: from memory, or from the ledger when it was registered a moment ago.
    ///
    /// - Throws: `temporarily_unavailable` for a client that this server cannot use until its profile is mended; `SQLError` when memory
    ///   does not know it and the ledger does not answer.
    func client(_ id: ClientID) async throws -> Client? {
        let clients = node.clients
        if let client = clients[id] { return client }
        guard !clients.unresolved.contains(id) else { throw ClientLoader.unresolved }
        return try await node.loader.client(id)
    }

    /// What a client is called, without asking the ledger: one that cannot be used too.
    func clientName(_ id: ClientID) -> String { node.clients.name(of: id) ?? id.text }
}
