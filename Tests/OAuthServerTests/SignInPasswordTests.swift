/// Whose password signs in, and what becomes of an old hash.
import OAuth
import OAuthStore
import TestBackends
import Testing

@testable import OAuthServer

@Suite struct `Sign-in desk: passwords` {
    @Test(arguments: Backend.allCases)
    func `a password that is changed while it is checked signs nobody in`(_ backend: Backend) async throws {
        try await Desks.with(backend) { desks in
            let id = try #require(try await desks.store.accounts().first?.id)
            for change in [Store.AccountChange.disabled(at: Desks.now), .passwordHash(Desks.cheapHash)] {
                let outcome = try await desks.one.check(
                    email: TestServer.email,
                    password: Secret(TestServer.password),
                    device: nil,
                    address: "192.0.2.1",
                    now: Desks.now
                )
                guard case .signedIn(let proved) = outcome else {
                    Issue.record("\(outcome)")
                    return
                }
                _ = try await desks.store.change(id, change, by: .server, now: Desks.now)
                #expect(try await !desks.start(proved))
                _ = try await desks.store.change(id, .disabled(at: nil), by: .server, now: Desks.now)
            }
        }
    }

    @Test(arguments: Backend.allCases)
    func `an account without a password is nobody's`(_ backend: Backend) async throws {
        try await Desks.with(backend, hash: nil) { desks async throws in
            for password in ["", "secret", TestServer.password] {
                #expect(try await desks.check(desks.one, password: password) == .wrong)
            }
        }
    }

    @Test(arguments: Backend.allCases)
    func `a disabled account is told only to who knows its password`(_ backend: Backend) async throws {
        try await Desks.with(backend) { desks in
            let id = try #require(try await desks.store.accounts().first?.id)
            _ = try await desks.store.change(id, .disabled(at: Desks.now), by: .server, now: Desks.now)
            #expect(try await desks.check(desks.one, password: "wrong") == .wrong)
            for _ in 0..<12 {
                #expect(try await desks.check(desks.one, password: TestServer.password) == .disabled)
            }
        }
    }

    @Test(arguments: Backend.allCases)
    func `an old hash is replaced at the next sign-in`(_ backend: Backend) async throws {
        let bcrypt = "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"
        try await Desks.with(backend, hash: bcrypt) { desks async throws in
            #expect(try await desks.check(desks.one, password: "wrong") == .wrong)
            #expect(try await desks.store.credentials(email: TestServer.email)?.passwordHash == bcrypt)
            #expect(try await desks.check(desks.one, password: "secret") == .signedIn)
            let upgraded = try #require(try await desks.store.credentials(email: TestServer.email)?.passwordHash)
            #expect(upgraded.hasPrefix("$argon2id$v=19$m=19456,t=2,p=1$"))
            #expect(try await desks.check(desks.two, password: "secret") == .signedIn)
            #expect(try await desks.store.credentials(email: TestServer.email)?.passwordHash == upgraded)
        }
    }

    @Test(arguments: Backend.allCases)
    func `what is longer than bcrypt can tell keeps its old hash`(_ backend: Backend) async throws {
        let long = String(repeating: "a", count: 72)
        let bcrypt = "$2b$04$abcdefghijklmnopqrstuuBzzIgyKkz7xMWYSzkIjUSnxEQFQ0WNe"
        try await Desks.with(backend, hash: bcrypt) { desks async throws in
            for ending in ["b", "c"] {
                #expect(try await desks.check(desks.one, password: long + ending) == .signedIn)
                #expect(try await desks.store.credentials(email: TestServer.email)?.passwordHash == bcrypt)
            }
        }
    }

    @Test(arguments: Backend.allCases)
    func `two nodes that replace an old hash at once both sign in`(_ backend: Backend) async throws {
        let bcrypt = "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"
        try await Desks.with(backend, hash: bcrypt) { desks in
            for _ in 0..<5 {
                let id = try #require(try await desks.store.accounts().first?.id)
                _ = try await desks.store.change(id, .passwordHash(bcrypt), by: .server, now: Desks.now)
                let verdicts = try await parallel(2) { number in
                    try await desks.check(desks.desk(number), password: "secret")
                }
                #expect(verdicts == [.signedIn, .signedIn])
            }
        }
    }
}
