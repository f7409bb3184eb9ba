import OAuth
import OAuthGuard
import Testing

/// S05: the issuer's keys are fetched when needed, once, and never lost.
@Suite struct KeySetTests {
    /// How many of `count` parallel checks of one token succeed.
    private func good(_ count: Int, _ token: String, _ verifier: OfflineVerifier) async -> Int {
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<count {
                group.addTask { await refusal { () throws(BearerRefusal) in try await verifier.verify(token) } == nil }
            }
            return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
    }

    private func check(_ token: String, _ verifier: OfflineVerifier) async -> BearerRefusal? {
        await refusal { () throws(BearerRefusal) in try await verifier.verify(token) }
    }

    /// How many fetches it took until the keys were there: on a machine with much to do one may be given up.
    private func fetchesUntilKnown(_ issuer: FakeIssuer, _ verifier: OfflineVerifier) async throws -> Int {
        while try await check(issuer.token(), verifier) != nil { issuer.clock.advance(.hours(1)) }
        return issuer.keySetFetches
    }

    @Test func `S05: a thousand first requests make one fetch, and later ones none`() async throws {
        let issuer = try FakeIssuer()
        issuer.change { $0.delay = .milliseconds(50) }
        try await issuer.run { base in
            let verifier = issuer.offline(base)
            let token = try issuer.token()
            #expect(await good(1000, token, verifier) == 1000)
            #expect(issuer.keySetFetches == 1)
            #expect(await good(100, token, verifier) == 100)
            #expect(issuer.keySetFetches == 1)
        }
    }

    @Test func `S05: an unknown key is fetched once under 200 parallel requests`() async throws {
        let issuer = try FakeIssuer()
        try await issuer.run { base in
            let verifier = issuer.offline(base)
            try await #expect(check(issuer.token(), verifier) == nil)
            let next = try newKey()
            issuer.change { state in
                state.keys.append(next)
                state.delay = .milliseconds(50)
            }
            try await #expect(good(200, issuer.token(key: next), verifier) == 200)
            #expect(issuer.keySetFetches == 2)
        }
    }

    @Test func `S05: keys that nobody publishes cause one fetch in two seconds, and nobody is told what nobody knows`()
        async throws
    {
        let issuer = try FakeIssuer()
        try await issuer.run { base in
            let verifier = issuer.offline(base)
            try await #expect(check(issuer.token(), verifier) == nil)
            try await #expect(check(issuer.token(key: newKey()), verifier).isInvalidToken)
            for _ in 0..<50 {
                try await #expect(check(issuer.token(key: newKey()), verifier).isUnavailable)
            }
            #expect(issuer.keySetFetches == 2)
            issuer.clock.advance(.milliseconds(1999))
            try await #expect(check(issuer.token(key: newKey()), verifier).isUnavailable)
            #expect(issuer.keySetFetches == 2)
            issuer.clock.advance(.milliseconds(1))
            try await #expect(check(issuer.token(key: newKey()), verifier).isInvalidToken)
            #expect(issuer.keySetFetches == 3)
        }
    }

    @Test func `S05: one key that nobody publishes is looked for again after two seconds, then every ten`() async throws
    {
        let issuer = try FakeIssuer()
        try await issuer.run { base in
            let verifier = issuer.offline(base)
            let forged = try issuer.token(key: newKey())
            try await #expect(check(issuer.token(), verifier) == nil)
            for (wait, fetches) in [(0, 2), (1, 2), (1, 3), (9, 3), (1, 4), (9, 4), (1, 5)] {
                issuer.clock.advance(.seconds(wait))
                #expect(await check(forged, verifier).isInvalidToken)
                #expect(issuer.keySetFetches == fetches)
            }
        }
    }

    @Test func `S05: after an emergency rotation good tokens are never called invalid, forged ones or not`()
        async throws
    {
        let issuer = try FakeIssuer()
        let next = try newKey()
        try await issuer.run { base in
            let verifier = issuer.offline(base)
            try await #expect(check(issuer.token(), verifier) == nil)
            try await #expect(check(issuer.token(key: newKey()), verifier).isInvalidToken)
            issuer.change { $0.keys = [next] }
            try await #expect(check(issuer.token(key: next), verifier).isUnavailable)
            issuer.clock.advance(.seconds(2))
            try await #expect(check(issuer.token(key: next), verifier) == nil)
        }
    }

    @Test func `S05: a fetch that began before a key was published calls no token of that key invalid`() async throws {
        let issuer = try FakeIssuer()
        let next = try newKey()
        try await issuer.run { base in
            let verifier = issuer.offline(base)
            try await #expect(check(issuer.token(), verifier) == nil)
            let forged = try issuer.token(key: newKey())
            let good = try issuer.token(key: next)
            issuer.change { $0.delay = .seconds(2) }
            async let first = check(forged, verifier)
            for _ in 0..<1000 where issuer.keySetFetches < 2 { try await Task.sleep(for: .milliseconds(10)) }
            issuer.change { state in
                state.keys = [next]
                state.delay = .zero
            }
            #expect(await check(good, verifier).isUnavailable)
            let verdict = await first
            #expect(verdict.isInvalidToken, "the issuer was asked for this one")
            #expect(issuer.keySetFetches == 2)
            issuer.clock.advance(.seconds(2))
            #expect(await check(good, verifier) == nil)
        }
    }

    @Test func `RFC 7517 §5: members of a key set that are not understood are passed over`() async throws {
        let issuer = try FakeIssuer()
        let good = String(decoding: issuer.key.publicKey.jwk, as: UTF8.self)
        issuer.change { $0.keySet = #"{"keys":[{"kid":"a"},{"kty":7},"key",null,{"kty":"oct","k":"AA"},\#(good)]}"# }
        try await issuer.run { base in
            try await #expect(check(issuer.token(), issuer.offline(base)) == nil)
        }
    }

    @Test func `S05: a clock that is set back keeps nobody waiting for keys, and keeps none that were taken back`()
        async throws
    {
        let issuer = try FakeIssuer()
        let next = try newKey()
        try await issuer.run { base in
            let verifier = issuer.offline(base)
            issuer.change { $0.keySet = "not yet" }
            issuer.clock.advance(.hours(1))
            try await #expect(check(issuer.token(), verifier).isUnavailable)
            issuer.change { $0.keySet = nil }
            issuer.clock.advance(.seconds(-3600))
            try await #expect(check(issuer.token(), verifier) == nil)
            issuer.change { $0.keys = [next] }
            issuer.clock.advance(.seconds(-3600))
            try await #expect(check(issuer.token(), verifier).isInvalidToken)
            try await #expect(check(issuer.token(key: next), verifier) == nil)
        }
    }

    @Test func `S05: with the server gone, the keys at hand still verify`() async throws {
        let issuer = try FakeIssuer()
        let verifier = try await issuer.run { base in
            let verifier = issuer.offline(base, patience: .seconds(10))
            try await #expect(check(issuer.token(), verifier) == nil)
            return verifier
        }
        // Nothing listens any more.
        for _ in 0..<3 {
            issuer.clock.advance(.hours(24))
            try await #expect(check(issuer.token(), verifier) == nil)
        }
        // Whether a key that it does not know is good, nobody can say now.
        try await #expect(check(issuer.token(key: newKey()), verifier).isUnavailable)
    }

    @Test(arguments: ["", "{}", #"{"keys":[]}"#, "not json", #"{"keys":[{"kty":"oct","kid":"a","k":"AA"}]}"#])
    func `S05: a broken key set does not replace a good one`(body: String) async throws {
        let issuer = try FakeIssuer()
        try await issuer.run { base in
            let verifier = issuer.offline(base)
            try await #expect(check(issuer.token(), verifier) == nil)
            issuer.change { $0.keySet = body }
            issuer.clock.advance(.hours(1))
            try await #expect(check(issuer.token(), verifier) == nil)
            #expect(issuer.keySetFetches == 2)
        }
    }

    @Test func `S05: an API that starts before its issuer answers 503, and recovers`() async throws {
        let issuer = try FakeIssuer()
        issuer.change { $0.isBroken = true }
        try await issuer.run { base in
            let verifier = issuer.offline(base)
            let token = try issuer.token()
            #expect(await check(token, verifier).isUnavailable)
            #expect(await good(100, token, verifier) == 0)
            #expect(issuer.keySetFetches <= 2)
            issuer.change { $0.isBroken = false }
            issuer.clock.advance(.seconds(1))
            #expect(await check(token, verifier) == nil)
        }
    }

    @Test(arguments: [(60, 10), (5, 10), (60, 600)])
    func `S05: a key that the issuer took back is forgotten within the keys' lifetime`(
        lifetime: Int,
        refetchInterval: Int
    ) async throws {
        let issuer = try FakeIssuer()
        let next = try newKey()
        try await issuer.run { base in
            let verifier = issuer.offline(
                base,
                keyLifetime: .seconds(lifetime),
                refetchInterval: .seconds(refetchInterval)
            )
            try await #expect(check(issuer.token(), verifier) == nil)
            issuer.change { $0.keys = [next] }
            issuer.clock.advance(Duration.seconds(lifetime) - .milliseconds(1))
            try await #expect(check(issuer.token(), verifier) == nil)
            #expect(issuer.keySetFetches == 1)
            issuer.clock.advance(.milliseconds(1))
            try await #expect(check(issuer.token(), verifier).isInvalidToken)
        }
    }

    @Test func `S05: keys with a short lifetime are tried again as often while the issuer does not answer`()
        async throws
    {
        let issuer = try FakeIssuer()
        try await issuer.run { base in
            let verifier = issuer.offline(base, keyLifetime: .seconds(5))
            try await #expect(check(issuer.token(), verifier) == nil)
            issuer.change { $0.isBroken = true }
            for fetches in [2, 3] {
                issuer.clock.advance(.seconds(5))
                try await #expect(check(issuer.token(), verifier) == nil)
                // The second of these fetches runs beside the request.
                for _ in 0..<1000 where issuer.keySetFetches < fetches { try await Task.sleep(for: .milliseconds(10)) }
                #expect(issuer.keySetFetches == fetches)
            }
        }
    }

    @Test func `S05: more than 64 KB and more than 2 s are not waited for`() async throws {
        let issuer = try FakeIssuer()
        try await issuer.run { base in
            issuer.change { $0.keySet = #"{"keys":["# + String(repeating: " ", count: 70_000) + "]}" }
            try await #expect(check(issuer.token(), issuer.offline(base, patience: .seconds(2))).isUnavailable)
            issuer.change { state in
                state.keySet = nil
                state.delay = .seconds(25)
            }
            let began = ContinuousClock.now
            try await #expect(check(issuer.token(), issuer.offline(base, patience: .seconds(2))).isUnavailable)
            #expect(ContinuousClock.now - began < .seconds(22))
            issuer.change { $0.delay = .zero }
        }
    }

    @Test func `S05: a key set that stalls after its head is not waited for`() async throws {
        let issuer = try FakeIssuer()
        issuer.change { $0.isStalled = true }
        try await issuer.run { base in
            let began = ContinuousClock.now
            try await #expect(check(issuer.token(), issuer.offline(base, patience: .seconds(1))).isUnavailable)
            #expect(ContinuousClock.now - began < .seconds(35))
            issuer.change { $0.isStalled = false }
        }
    }

    @Test func `S05: a key set that stalls after its head keeps nobody from the keys at hand`() async throws {
        let issuer = try FakeIssuer()
        try await issuer.run { base in
            let verifier = issuer.offline(base, patience: .seconds(8))
            let fetches = try await fetchesUntilKnown(issuer, verifier)
            issuer.change { $0.isStalled = true }
            issuer.clock.advance(.hours(1))
            let began = ContinuousClock.now
            try await #expect(check(issuer.token(), verifier) == nil)
            #expect(ContinuousClock.now - began < .seconds(35))
            #expect(issuer.keySetFetches == fetches + 1)
            issuer.change { $0.isStalled = false }
        }
    }

    @Test func `S05: who has waited for one fetch in vain does not wait for another`() async throws {
        let issuer = try FakeIssuer()
        try await issuer.run { base in
            let verifier = issuer.offline(base, patience: .seconds(8))
            let fetches = try await fetchesUntilKnown(issuer, verifier)
            issuer.change { $0.isStalled = true }
            issuer.clock.advance(.hours(1))
            try await #expect(check(issuer.token(key: newKey()), verifier).isUnavailable)
            #expect(issuer.keySetFetches == fetches + 1)
            issuer.change { $0.isStalled = false }
        }
    }

    @Test(arguments: [
        ("", "/.well-known/oauth-authorization-server"),
        ("/", "/.well-known/oauth-authorization-server"),
        ("/auth", "/.well-known/oauth-authorization-server/auth"),
        ("/auth", "/auth/.well-known/openid-configuration"),
    ])
    func `RFC 8414 §3: the key set is found through the issuer's metadata`(path: String, document: String) async throws
    {
        let issuer = try FakeIssuer()
        try await issuer.run { base in
            let name = base + path
            issuer.change { $0.metadata[document] = #"{"issuer":"\#(name)","jwks_uri":"\#(base)/oauth/jwks"}"# }
            let verifier = OfflineVerifier(
                issuer: name,
                audience: FakeIssuer.audience,
                patience: FakeIssuer.patience,
                now: { issuer.clock.now }
            )
            try await #expect(check(issuer.token(issuer: name), verifier) == nil)
        }
    }

    @Test func `RFC 8414 §3.3: metadata of another issuer is not believed`() async throws {
        let issuer = try FakeIssuer()
        try await issuer.run { base in
            issuer.change { state in
                state.metadata["/.well-known/oauth-authorization-server"] =
                    #"{"issuer":"https://evil.example","jwks_uri":"\#(base)/oauth/jwks"}"#
            }
            let verifier = OfflineVerifier(
                issuer: base,
                audience: FakeIssuer.audience,
                patience: FakeIssuer.patience,
                now: { issuer.clock.now }
            )
            try await #expect(check(issuer.token(issuer: base), verifier).isUnavailable)
            #expect(issuer.keySetFetches == 0)
        }
    }
}
