import Hummingbird
import OAuth

/// What this server does, and the keys of its tokens; both are answered from memory, whatever the database does.
extension Provider {
    /// Authorization server metadata (RFC 8414 §3), at its own path and at OpenID's.
    func metadata(_ request: Request, _ context: DoorContext) async throws -> Response {
        let metadata = ServerMetadata(issuer: settings.issuer.text, scopes: settings.scopes.map(\.name))
        return document(metadata.json, request, lifetime: .minutes(5))
    }

    /// The JSON Web Key Set (RFC 7517 §5).
    func jwks(_ request: Request, _ context: DoorContext) async throws -> Response {
        document(JSONWebKeySet.json(node.keys.published(at: ambient.now())), request, lifetime: .minutes(5))
    }
}
