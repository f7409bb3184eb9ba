import Foundation
import Glibc
import OAuth
import OAuthServer
import OAuthStore

/// The opened ledger, with the settings that it was opened under.
struct Ledger: Sendable {
    let deployment: Deployment
    let store: Store

    var ambient: Ambient { deployment.ambient }
    var now: Instant { ambient.now() }

    /// Who runs this command: by that name the audit trail knows what it changes.
    var actor: Actor {
        let name = NSUserName()
        return .commandLine(user: name.isEmpty ? "uid \(getuid())" : name)
    }
}
