import Crypto
import Logging
import OAuth

/// Where a failed sign-in came from and whom it was for, so that guessing can be followed through the log.
struct SignInTrace: Sendable, Equatable {
    /// The start of a hash of what was typed as e-mail address, which itself stays out of the log.
    let subject: String
    /// The network address that the request came from.
    let address: String
    /// The client for which the person was to sign in; nil on the customer's own page.
    let client: ClientID?

    init(email: String, address: String, client: ClientID?) {
        let hash = SHA256.hash(data: Array(EmailAddress.key(of: email).utf8))
        subject = Hexadecimal.encode(hash.prefix(4))
        self.address = address
        self.client = client
    }

    var metadata: Logger.Metadata {
        ["subject": "\(subject)", "address": "\(address)", "client": "\(client.map(\.text) ?? "none")"]
    }
}
