import Hummingbird
import OAuth
import OAuthStore

/// Whether this node lives, and whether it can serve.
extension Provider {
    /// `/healthz`: the process answers.
    func healthz(_ request: Request, _ context: DoorContext) async throws -> Response {
        json(Array(#"{"ok":true}"#.utf8))
    }

    /// `/readyz`: the database answers too.
    func readyz(_ request: Request, _ context: DoorContext) async throws -> Response {
        try await store.ping()
        return json(Array(#"{"ok":true}"#.utf8))
    }
}
