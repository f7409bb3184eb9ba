import Hummingbird
import OAuth
import OAuthStore

/// Whether this node lives, and whether it can serve.
extension Provider {
    /// `/healthz`: the process answers.
    func healthz(_ request: Request, _ context: DoorContext) async throws -> Response {
        json(Array(#"{"ok":true}"#.utf8))
    }

    /// `/readyz`: the database answers too, and the server is not about to end.
    func readyz(_ request: Request, _ context: DoorContext) async throws -> Response {
        guard !drain.isOn else {
            let body = Array(#"{"ok":false,"missing":["time: this node is shutting down"]}"#.utf8)
            return json(body, status: .serviceUnavailable)
        }
        try await store.ping()
        return json(Array(#"{"ok":true}"#.utf8))
    }
}
