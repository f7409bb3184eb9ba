import OAuth

/// Token requests by grant type and outcome.
final class GrantCounters: Sendable {
    /// A grant type, with the counter that every good answer adds to at hand.
    final class Outcomes: Sendable {
        let granted = Counter()
        fileprivate let refused = Counters<OAuthError.Code>()
    }

    let code = Outcomes()
    let refresh = Outcomes()
    let clientCredentials = Outcomes()
    /// Of another grant type, or before it was known.
    private let other = Outcomes()

    /// Counts a refused request.
    /// - Parameters:
    ///   - grantType: what the request says it is.
    ///   - code: the error's code.
    func refuse(_ grantType: String?, _ code: OAuthError.Code) {
        let outcomes =
            switch grantType.flatMap(GrantType.init(rawValue:)) {
            case .authorizationCode: self.code
            case .refreshToken: refresh
            case .clientCredentials: clientCredentials
            case nil: other
            }
        outcomes.refused[code].add()
    }

    /// Every count, also of what there has not been: an alert that looks for it must find it.
    var reading: [(grant: String, outcome: String, count: UInt64)] {
        let all: [(String, Outcomes)] = [
            (GrantType.authorizationCode.rawValue, code), (GrantType.refreshToken.rawValue, refresh),
            (GrantType.clientCredentials.rawValue, clientCredentials), ("other", other),
        ]
        return all.flatMap { name, outcomes in
            let refused = outcomes.refused.reading.map { (grant: name, outcome: $0.label, count: $0.count) }
            return (name == "other" ? [] : [(grant: name, outcome: "ok", count: outcomes.granted.value)]) + refused
        }
    }
}
