/// One caller for each subject at a time, and lines that do not grow.
import OAuth
import OAuthStore
import Synchronization
import TestBackends
import Testing

@testable import OAuthServer

@Suite struct `Turns in line` {
    @Test func `one at a time has the turn, and others have theirs`() async throws {
        let turns = Turns(limit: 100)
        let inside = Mutex((now: 0, most: 0))
        let taken = try await parallel(100) { _ in
            guard await turns.take([1]) else { return false }
            inside.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
            await Task.yield()
            inside.withLock { $0.now -= 1 }
            await turns.pass([1])
            return true
        }
        #expect(taken.allSatisfy(\.self) && inside.withLock { $0.most } == 1)
        #expect(await turns.take([1]))
        #expect(await turns.take([2]))
    }

    @Test func `a full line refuses, until the turn has passed`() async {
        let turns = Turns(limit: 0)
        #expect(await turns.take([1]))
        #expect(await !turns.take([1]))
        await turns.pass([1])
        #expect(await turns.take([1]))
    }

    @Test(.timeLimit(.minutes(10)))
    func `all lines together hold no more than the limit, so that waiting takes up no more connections`() async {
        let turns = Turns(limit: 2)
        for subject: UInt8 in 1...3 { #expect(await turns.take([subject])) }
        await withTaskGroup { group in
            for subject: UInt8 in 1...2 { group.addTask { await turns.take([subject]) } }
            // Two wait, whoever they wait for; the third is refused at once.
            while await turns.waiting < 2 { await Task.yield() }
            #expect(await !turns.take([3]))
            for subject: UInt8 in 1...2 { await turns.pass([subject]) }
            for await taken in group { #expect(taken) }
        }
        #expect(await turns.waiting == 0)
    }
}
