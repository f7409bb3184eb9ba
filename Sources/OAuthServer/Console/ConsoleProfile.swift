import OAuth

/// What the console shows of a partner's rules.
extension PartnerProfile {
    /// The only client id that the profile works with; nil when any will do.
    var fixedClientID: ClientID? { rules.clientID }
    /// What only the operator knows: each name in its redirect URIs, with the first that has it.
    var openNames: [(name: String, uri: String)] {
        var found: [(name: String, uri: String)] = []
        for template in rules.redirectURIs {
            for name in template.names where !found.contains(where: { $0.name == name }) {
                found.append((name, template.text))
            }
        }
        return found
    }
    /// Whether a client of the partner may have a single redirect URI.
    var allowsOneRedirectURI: Bool { rules.limits.redirectURIs == 1 }
    /// What the partner's document asks for in vain.
    var unmetNeeds: [(need: String, why: String)] { unmet.map { ($0.need, $0.why) } }
}

extension Client {
    /// The domains below which any https host is accepted.
    var openDomains: [String] { redirectHosts.map(\.domain) }

    /// How long an access token lives, in words.
    var lifetimeWords: String {
        accessToken.lifetime.map { "for \(Words.english.duration($0))" } ?? "until the connection is cut"
    }
}
