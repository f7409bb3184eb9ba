import OAuth
import OAuthStore
import Synchronization

/// Refused requests on their way to the ledger: bounded, and dropped rather than waited for.
///
/// Nothing is written in a refused request, so that a flood of refusals is no flood of writes.
final class RefusalQueue: Sendable {
    /// A refusal, and the refresh token whose connection it may be about, once that is proved.
    struct Item: Sendable {
        let refusal: Refusal
        let presented: RefreshToken?
    }

    private let items = Mutex<[ClientID: [Item]]>([:])

    /// How many of a client wait for the next writing; one client's flood does not push others out.
    static let perClient = 50
    /// How many clients may wait.
    static let clients = 1000

    /// Takes a refusal in, unless there are enough.
    /// - Returns: false when it was dropped.
    @discardableResult
    func note(_ item: Item) -> Bool {
        items.withLock { items in
            let client = item.refusal.client
            guard let waiting = items[client] else {
                guard items.count < Self.clients else { return false }
                items[client] = [item]
                return true
            }
            guard waiting.count < Self.perClient else { return false }
            items[client]?.append(item)
            return true
        }
    }

    /// Hands over what has gathered.
    func take() -> [Item] {
        items.withLock { items in
            defer { items.removeAll() }
            return items.values.flatMap(\.self)
        }
    }
}
