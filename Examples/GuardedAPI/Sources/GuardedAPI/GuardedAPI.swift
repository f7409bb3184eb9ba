/// An API with one protected route.
///
///     ISSUER=http://localhost:3020 AUDIENCE=http://localhost:3020 swift run GuardedAPI
///     curl -i http://127.0.0.1:8081/whoami -H "Authorization: Bearer $ACCESS_TOKEN"

import Foundation
import Hummingbird
import OAuthGuard

@main
struct GuardedAPI {
    static func main() async throws {
        let environment = ProcessInfo.processInfo.environment
        let verifier = OfflineVerifier(
            issuer: environment["ISSUER"] ?? "http://localhost:3020",
            audience: environment["AUDIENCE"] ?? "https://api.example"
        )

        let router = Router()
        router.group("", context: GuardedContext<BasicRequestContext>.self)
            .add(middleware: BearerTokenMiddleware(.offline(verifier)))
            .add(middleware: RequireScope("locks.read"))
            .get("whoami") { _, context in
                let token = try context.requireAccessToken()
                return "\(token.subject), sent by \(token.clientID)\n"
            }

        let address = ApplicationConfiguration(address: .hostname("127.0.0.1", port: 8081))
        try await Application(router: router, configuration: address).runService()
    }
}
