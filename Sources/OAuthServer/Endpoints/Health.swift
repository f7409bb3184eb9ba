import HTTPTypes
import Hummingbird
import OAuth
import OAuthStore

/// Whether this node lives, and whether it can serve.
extension Provider {
    /// `/healthz`: the process answers.
    func healthz(_ request: Request, _ context: DoorContext) async throws -> Response {
        json(Array(#"{"ok":true}"#.utf8))
    }

    /// `/readyz`: the database answers too, holds the ledger, and the server is not about to end.
    ///
    /// It says what is missing (503), or which of the database's settings are not safe (200); no host and no value is named.
    func readyz(_ request: Request, _ context: DoorContext) async throws -> Response {
        guard !drain.isOn else { return readiness(missing: ["time: this node is shutting down"]) }
        do throws(SQLError) {
            try await store.ping()
        } catch {
            // It is a 503 whatever it is, and proxies ask twice a second.
            observe(.databaseFault(error, isPassing: true), context)
            return unready("database" + (Self.reason(error).map { ": \($0)" } ?? ""))
        }
        do throws(OAuthError) {
            // What is asked of a token request too: who refuses them all is not ready.
            if node.isOld(.clients, at: ambient.now()) { try await node.requireFresh(.clients) }
        } catch {
            observe(.unavailable(error), context)
            return unready("database: this node cannot read its clients there")
        }
        if let reason = store.misplacement {
            return unready(
                "database: \(reason), and nothing is written until it is back; for any other file restart the server"
            )
        }
        return readiness(missing: [])
    }

    private static func reason(_ error: SQLError) -> String? {
        error.isPassing ? error.absence?.sentence : "what this server keeps there is not as it should be"
    }

    private func unready(_ missing: String) -> Response {
        var response = readiness(missing: [missing])
        response.headers[.retryAfter] = "2"
        return response
    }

    private func readiness(missing: [String]) -> Response {
        let hazards = node.hazards
        var writer = JSONWriter()
        writer.member("ok", missing.isEmpty)
        if !missing.isEmpty {
            writer.member("error", OAuthError.Code.temporarilyUnavailable.rawValue)
            writer.member("missing", missing)
        }
        if !hazards.isEmpty { writer.member("warnings", hazards) }
        return json(writer.finish(), status: missing.isEmpty ? .ok : .serviceUnavailable)
    }
}
