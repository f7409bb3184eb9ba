/// Lets a few in at a time: the test server has fewer connections than all tests together would take.

/// A count of those inside, and a line of those who wait.
actor Turnstile {
    private var free: Int
    private var line: [CheckedContinuation<Void, Never>] = []

    init(places: Int) {
        free = places
    }

    func enter() async {
        guard free == 0 else {
            free -= 1
            return
        }
        await withCheckedContinuation { line.append($0) }
    }

    func leave() {
        guard !line.isEmpty else {
            free += 1
            return
        }
        line.removeFirst().resume()
    }
}
