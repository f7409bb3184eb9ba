import FoundationEssentials
import Synchronization

/// A successful answer of the token endpoint (RFC 6749 §5.1).
struct TokenAnswer: Sendable, Decodable {
    let access_token: String
    let expires_in: Int?
    let refresh_token: String?
    let user_id: String?
}

/// What the partner keeps of one connected account.
struct PartnerConnection: Sendable {
    /// An access token, and when it ends.
    struct AccessToken: Sendable {
        let text: String
        let expiresAt: Date
    }

    /// `user_id`: by which the partner knows this account again.
    private(set) var userID: String?
    private(set) var refreshToken: String?
    /// Every access token it got, the newest last.
    private(set) var accessTokens: [AccessToken] = []
    var lastRun: RefreshRun?
    /// What was tried out by itself when it was new.
    var trial: String?
    /// The authorization server's words when it said that the connection has ended (RFC 6749 §5.2, `invalid_grant`).
    var end: String?
    /// A sentence for the next page.
    var notice: String?

    init(_ tokens: TokenAnswer) {
        take(tokens)
    }

    /// Takes what a token response brought; a refresh may leave out what has not changed (RFC 6749 §6).
    mutating func take(_ tokens: TokenAnswer) {
        let end = Date().addingTimeInterval(TimeInterval(tokens.expires_in ?? 3600))
        accessTokens.append(AccessToken(text: tokens.access_token, expiresAt: end))
        accessTokens.removeFirst(max(0, accessTokens.count - Self.tokenLimit))
        refreshToken = tokens.refresh_token ?? refreshToken
        userID = tokens.user_id ?? userID
    }

    /// The newest access token.
    var accessToken: String { accessTokens.last?.text ?? "" }

    /// Those that must still work.
    var liveTokens: [AccessToken] { accessTokens.filter { $0.expiresAt > Date() } }

    private static let tokenLimit = 500
}

/// What came of refreshing twenty times at once.
struct RefreshRun: Sendable {
    /// One access token, tried against the API afterwards.
    struct Trial: Sendable {
        let number: Int
        let token: String
        /// The API's status; nil when it did not answer.
        let status: Int?
    }

    let trials: [Trial]
    let failures: [String]
    let took: Duration
}

/// A lock as the API shows it, as far as this partner reads it.
struct PartnerLock: Sendable, Decodable {
    let lock_id: String
    let name: String?
    let model: String?
    let address: String?
    let lock_state: String?
    let battery_level: Int?
}

/// The connections by the browser's cookie, in memory: a real partner would have a database.
final class PartnerConnections: Sendable {
    private let state = Mutex<(connections: [String: PartnerConnection], order: [String])>(([:], []))

    subscript(_ id: String) -> PartnerConnection? {
        state.withLock { $0.connections[id] }
    }

    func add(_ connection: PartnerConnection, id: String) {
        state.withLock { state in
            if state.order.count >= Self.limit { state.connections[state.order.removeFirst()] = nil }
            state.connections[id] = connection
            state.order.append(id)
        }
    }

    func update(_ id: String, _ change: (inout PartnerConnection) -> Void) {
        state.withLock { state in
            guard var connection = state.connections[id] else { return }
            change(&connection)
            state.connections[id] = connection
        }
    }

    private static let limit = 1000
}
