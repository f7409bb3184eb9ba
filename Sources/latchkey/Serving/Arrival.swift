import NIOCore

/// Whether a request arrives in time, however steadily it trickles (CWE-400).
///
/// Header and body count together, from the request's first byte.
struct Arrival {
    /// How long a request may take.
    let limit: TimeAmount
    /// When the first byte came of the request that is being read; nil between requests.
    private var began: NIODeadline?

    /// What somebody who looks has to do.
    enum Finding {
        case nothing
        case lookAgain(at: NIODeadline)
        case endIt
    }

    init(limit: TimeAmount) {
        self.limit = limit
    }

    /// Whether a request is being read.
    var isUnderWay: Bool { began != nil }

    /// Notes a request's first byte.
    /// - Returns: when all of it must be here.
    mutating func begin() -> NIODeadline {
        let now = NIODeadline.now()
        began = now
        return now + limit
    }

    /// Notes that a request is here in full.
    mutating func end() { began = nil }

    /// Looks at the request that is being read, if any.
    ///
    /// - Parameters:
    ///   - now: when somebody looks.
    ///   - isAtWork: whether an earlier request is owed its answer: its client may well wait for that.
    /// - Returns: what to do.
    func finding(at now: NIODeadline, isAtWork: Bool) -> Finding {
        guard let began else { return .nothing }
        if isAtWork { return .lookAgain(at: now + limit) }
        return now >= began + limit ? .endIt : .lookAgain(at: began + limit)
    }
}
