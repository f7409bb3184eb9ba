import OAuthServer

/// The settings that say where webhooks go.
extension Knob {
    static let webhooks = [
        Knob(
            "webhook-url",
            .webhooks,
            \.webhookURL,
            .text("an https URL, or an http URL on loopback, without user information and fragment") {
                WebhookTarget.isAllowed($0)
            },
            standard: "none",
            example: "https://api.acme.example/hooks/latchkey",
            "Where the server tells your company that connections were made, were cut or are failing: see webhooks.md. Without it nothing is told."
        ),
        Knob(
            "webhook-secret",
            .webhooks,
            \.webhookSecrets,
            .webhookSecrets,
            isSecret: true,
            standard: "none",
            example: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "What webhooks are signed with; needed with webhook-url. While you change over, name the new one and the old one: each signs. `latchkey webhook secret` prints a new one."
        ),
    ]
}

extension Notation where Value == [String] {
    fileprivate static var webhookSecrets: Self {
        Notation(
            expected: "one to four secrets with spaces between them, each whsec_ and 24 to 64 bytes in base64",
            read: { text in
                let secrets = text.split(separator: " ").map(String.init)
                return (1...4).contains(secrets.count) && secrets.allSatisfy(WebhookTarget.isSecret) ? secrets : nil
            },
            show: { _ in "***" }
        )
    }
}
