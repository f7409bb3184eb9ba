/// The three policies of refresh tokens (RFC 9700 §4.14.2, ADR 0002).
import OAuth
import Testing

@Suite struct `RFC 9700 §4.14.2: refresh policies` {
    typealias Step = RefreshPolicy.Step

    @Test(arguments: [0, 1, 7, 1000] as [Int64])
    func `§4.14.2: an older generation than the row's is a reuse, under every policy`(_ current: Int64) {
        for policy in RefreshPolicy.allCases {
            for presented in [current - 1, current - 2, 0, -1] where presented < current {
                #expect(Step(policy, current: current, presented: presented) == .reused)
            }
        }
    }

    @Test func `R03: stable answers what was presented and moves nothing`() {
        for presented: Int64 in [5, 6, 100] {
            #expect(Step(.stable, current: 5, presented: presented) == .answer(generation: presented))
        }
    }

    @Test func `R05: successor answers every retry of the current token alike and moves with the next one`() {
        #expect(Step(.successor, current: 5, presented: 5) == .answer(generation: 6))
        #expect(Step(.successor, current: 5, presented: 6) == .move(to: 6, next: 7))
    }

    @Test func `strict: a token is used once`() {
        #expect(Step(.strict, current: 5, presented: 5) == .move(to: 6, next: 6))
        #expect(Step(.strict, current: 6, presented: 5) == .reused)
    }

    @Test(arguments: RefreshPolicy.allCases, [6, 7, 50] as [Int64])
    func `F12: after a restored backup a newer token is accepted, and the row follows`(
        _ policy: RefreshPolicy,
        _ newer: Int64
    ) {
        var row = Row(policy, generation: 5)
        #expect(row.present(newer) != nil)
        let newest = row.lastAnswer
        #expect(row.present(newest) != nil)
        #expect(row.isAlive)
    }

    @Test func `R06: only the generation before the newest is excused`() {
        var row = Row(.successor, generation: 0)
        let second = row.present(0) ?? -1
        let third = row.present(second) ?? -1
        #expect((second, third) == (1, 2))
        #expect(row.present(second) == third)
        #expect(row.present(0) == nil)
        #expect(!row.isAlive)
    }

    @Test func `R03: no order of requests loses a stable token`() {
        var random = SeededGenerator(seed: 3)
        for _ in 0..<200 {
            var row = Row(.stable, generation: Int64.random(in: 0...9, using: &random))
            let token = row.generation
            for _ in 0..<50 { #expect(row.present(token) == token) }
            #expect(row.isAlive)
        }
    }

    @Test func `R04: under strict one of many racers wins and the others are seen`() {
        var row = Row(.strict, generation: 0)
        let answers = (0..<50).map { _ in row.present(0) }
        #expect(answers.compactMap { $0 } == [1])
        #expect(!row.isAlive)
    }

    /// Workers of one client share the newest token they received.
    ///
    /// Requests arrive in any order, are sent again, and their answers get lost, come late or come twice. The one rule
    /// they keep: nobody presents a successor while a request with its predecessor is on the way.
    @Test(arguments: 0..<50 as Range<UInt64>)
    func `R05: no order of requests loses the newest token that a client received under successor`(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var row = Row(.successor, generation: 0)
        var newest: Int64 = 0
        var requests: [Int64] = []
        var answers: [Int64] = []
        var used: Set<Int64> = []
        for _ in 0..<400 {
            switch Int.random(in: 0..<5, using: &random) {
            case 0, 1:
                if requests.allSatisfy({ $0 == newest }) {
                    requests.append(newest)
                    used.insert(newest)
                }
            case 2:
                guard let index = requests.indices.randomElement(using: &random) else { continue }
                guard let answer = row.present(requests.remove(at: index)) else {
                    Issue.record("the connection was lost at generation \(newest)")
                    return
                }
                if Bool.random(using: &random) { answers.append(answer) }
            case 3:
                guard let index = answers.indices.randomElement(using: &random) else { continue }
                newest = max(newest, answers.remove(at: index))
            default:
                // A backup is restored: the row falls back, the client does not.
                if Int.random(in: 0..<20, using: &random) == 0 {
                    row.generation = Int64.random(in: 0...row.generation, using: &random)
                }
            }
            var next = row
            #expect(next.present(newest) != nil, "generation \(newest) of row \(row.generation)")
        }
        #expect(used.count > 5)
    }

    @Test func `R04: all racers of one generation get the same successor`() {
        var row = Row(.successor, generation: 0)
        var token: Int64 = 0
        for _ in 0..<20 {
            let answers = Set((0..<50).compactMap { _ in row.present(token) })
            #expect(answers.count == 1)
            token = answers.first ?? -1
        }
        #expect(token == 20)
        #expect(row.generation == 19)
    }
}

/// A connection's row as the store keeps it: the compare-and-set of a move always finds it as it was read here.
private struct Row {
    private let policy: RefreshPolicy
    var generation: Int64
    private(set) var isAlive = true
    private(set) var lastAnswer: Int64 = -1

    init(_ policy: RefreshPolicy, generation: Int64) {
        self.policy = policy
        self.generation = generation
    }

    /// Presents a token: the generation of the answer's token, or nil when it is refused.
    mutating func present(_ token: Int64) -> Int64? {
        guard isAlive else { return nil }
        switch RefreshPolicy.Step(policy, current: generation, presented: token) {
        case .answer(let next):
            lastAnswer = next
        case .move(let row, let next):
            generation = row
            lastAnswer = next
        case .reused:
            isAlive = false
            return nil
        }
        return lastAnswer
    }
}
