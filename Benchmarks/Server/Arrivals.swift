import Foundation
import OAuth
import OAuthServer
import OAuthStore
import ServiceLifecycle
import Synchronization

/// People who sign in and allow, beside the requests: so many a second, without their passwords being looked at.
///
/// Each leaves behind what a sign-in does: a session and a code.
struct Arrivals: Service {
    let store: Store
    let ambient: Ambient
    /// How many a second.
    let rate: Int
    /// Whether what they leave behind has expired at once, so that the sweep has as much to take as there comes.
    let isExpired: Bool
    let accounts: [Store.Credentials]

    /// How often some arrive.
    private static let pace = Duration.milliseconds(20)
    static let perSecond = 50
    /// What an ordinary session lasts without being used.
    private static let idle = Duration.hours(1)

    private final class Tally: Sendable {
        let arrived = Atomic<Int>(0)
        let failed = Atomic<Int>(0)
    }

    /// Lets them come until the server shuts down; then says how many came.
    func run() async throws {
        let tally = Tally()
        let start = ContinuousClock.now
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                var round = 0
                while !Task.isCancelled {
                    round += 1
                    try? await Task.sleep(until: start + Self.pace * round, clock: .continuous)
                    for number in 0..<rate / Self.perSecond {
                        let account = accounts[(round * 31 + number) % accounts.count]
                        group.addTask { await arrive(account, tally) }
                    }
                }
            }
        }
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let arrived = tally.arrived.load(ordering: .relaxed)
        let line = "ARRIVALS \(arrived) in \(seconds) s, \(tally.failed.load(ordering: .relaxed)) failed\n"
        FileHandle.standardError.write(Data(line.utf8))
    }

    private func arrive(_ credentials: Store.Credentials, _ tally: Tally) async {
        do {
            try await signIn(credentials)
            tally.arrived.add(1, ordering: .relaxed)
        } catch {
            tally.failed.add(1, ordering: .relaxed)
        }
    }

    private func signIn(_ credentials: Store.Credentials) async throws {
        let now = ambient.now()
        let (account, hash) = (credentials.account.id, credentials.passwordHash ?? "")
        let isIn = try await store.startSession(
            SecretDigest(of: Base64URL.encode(ambient.random(32))),
            account: account,
            provedBy: .passwordHash(hash),
            replacing: nil,
            settling: SettledAttempt(account: account.bytes, address: nil, wasRight: true),
            now: now,
            idleUntil: isExpired ? now - .milliseconds(1) : now + Self.idle,
            endsAt: now + .days(7)
        )
        guard isIn, let client = ClientID(BenchClient.opaque.rawValue) else { throw Unfit("nobody could sign in") }
        let connection = ConnectionID.make(at: now, random: ambient.random)
        let issued = isExpired ? now - .days(1) - .seconds(1) : now
        let code = AuthorizationCode(
            digest: AuthorizationCode.make(random: ambient.random(32)).digest,
            client: client,
            account: account,
            connection: connection,
            scope: try Scope("locks.read locks.write"),
            scopeWasAsked: true,
            resources: [],
            redirectURI: BenchClient.redirectURI,
            redirectWasNamed: true,
            proofKey: ProofKey(verifier: BenchClient.verifier),
            nonce: nil,
            signedInAt: issued,
            issuedAt: issued,
            redeemedAt: nil,
            failures: 0
        )
        guard try await store.issue(code, transaction: ambient.random(16)) else { throw Unfit("no code was issued") }
    }
}
