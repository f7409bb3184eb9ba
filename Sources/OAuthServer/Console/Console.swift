import OAuthStore

/// What the console keeps beside the ledger: where operators prove who they are, and what their forms are sealed with.
struct Console: Sendable {
    let desk: OperatorDesk
    let seal: ConsoleSeal
    private let secretKey: SecretKey

    init(store: Store, settings: Settings, secretKey: SecretKey) {
        desk = OperatorDesk(store: store, settings: settings)
        seal = ConsoleSeal(secretKey: secretKey)
        self.secretKey = secretKey
    }

    /// The keys' cabinet, opened by somebody.
    func cabinet(_ store: Store, for actor: Actor) -> KeyCabinet {
        KeyCabinet(store: store, secretKey: secretKey, actor: actor)
    }
}
