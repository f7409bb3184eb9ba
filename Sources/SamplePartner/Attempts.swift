/// The attempts to connect that one browser has begun and not finished, as its cookie carries them.
///
/// Each tab has its own: `state` finds the one that an answer belongs to (RFC 6749 §10.12).
struct Attempts {
    private var pending: [(state: String, verifier: String)] = []

    /// Reads a cookie's value; what cannot be read is left out.
    init(_ text: String) {
        for attempt in text.split(separator: "~").suffix(Self.limit) {
            let parts = attempt.split(separator: ".").map(String.init)
            if parts.count == 2 { pending.append((parts[0], parts[1])) }
        }
    }

    /// The cookie's value; empty when there is no attempt.
    var text: String {
        pending.map { "\($0.state).\($0.verifier)" }.joined(separator: "~")
    }

    /// Begins an attempt; the oldest gives way when there are too many.
    mutating func add(state: String, verifier: String) {
        pending.append((state, verifier))
        pending.removeFirst(max(0, pending.count - Self.limit))
    }

    /// Ends the attempt that an answer belongs to.
    /// - Returns: its verifier; nil when there is no such attempt.
    mutating func take(state: String) -> String? {
        guard let index = pending.firstIndex(where: { $0.state == state }) else { return nil }
        return pending.remove(at: index).verifier
    }

    /// About 90 bytes each: a cookie may have 4096.
    private static let limit = 8
}
