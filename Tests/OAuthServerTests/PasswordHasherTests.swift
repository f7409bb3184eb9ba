/// Passwords: Argon2id by OWASP's parameters, older hashes for as long as they are needed, and a queue that refuses.
import CArgon2
import OAuth
import TestBackends
import Testing

@testable import OAuthServer

@Suite struct `Password hasher` {
    /// Runs `body` on a hasher whose threads end afterwards.
    private func withHasher<Result>(_ body: (PasswordHasher) async throws -> Result) async throws -> Result {
        let hasher = PasswordHasher(threads: 2)
        return try await doing {
            try await body(hasher)
        } finally: {
            await hasher.shutDown()
        }
    }

    @Test func `a new hash is Argon2id with OWASP's parameters and a salt of its own`() async throws {
        try await withHasher { hasher async throws in
            let hashes = [try await hasher.hash(Secret("secret")), try await hasher.hash(Secret("secret"))]
            #expect(hashes[0] != hashes[1])
            for hash in hashes {
                #expect(hash.hasPrefix("$argon2id$v=19$m=19456,t=2,p=1$") && PasswordHash.isKnown(hash))
                #expect(try await hasher.check(Secret("secret"), against: hash) == .right)
                #expect(try await hasher.check(Secret("Secret"), against: hash) == .wrong)
                #expect(try await hasher.check(Secret(""), against: hash) == .wrong)
            }
        }
    }

    /// The known answers of crypt_blowfish, of SHA-crypt's specification, of scrypt in crypt(3), of RFC 7914 §11 for PBKDF2, and an Argon2id
    /// hash with less memory.
    private static let vectors = [
        ("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
        (
            "Hello world!",
            "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1"
        ),
        ("Hello world!", "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5"),
        (
            "passwd",
            "$pbkdf2-sha256$1$c2FsdA$"
                + "VawEblbjCJ/sFpHCJUS2BflBhSFt3gRl5oudV8INrLxJypzM8Xm2RZkWZLOdd.8xfHG4RbHjC9UJESBB06GXgw"
        ),
        ("pleaseletmein", "$7$C6..../....SodiumChloride$kBGj9fHznVYFQMEn/qDCfrDevf9YDtcDdKvEqHJLV8D"),
    ]

    @Test(arguments: vectors)
    func `an imported hash is right for its password, and due for a better one`(password: String, hash: String)
        async throws
    {
        try await withHasher { hasher async throws in
            #expect(PasswordHash.isKnown(hash))
            #expect(try await hasher.check(Secret(password), against: hash) == .rightButWeak)
            #expect(try await hasher.check(Secret(password + "x"), against: hash) == .wrong)
            #expect(try await hasher.check(Secret(""), against: hash) == .wrong)
        }
    }

    @Test(
        arguments: vectors.map(\.1) + [
            "$y$j9T$hbJQPF5JGJ7pRsmZLFhpW.$rJMr38iQtAP/9/6BdI3ENiLFv9SUL4eXS6eJp9GLkd3",
            "$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$VawEblbjCJ/sFpHCJUS2Bf",
            "$6$rounds=656000$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
        ]
    )
    func `hashes as others make them may be imported`(hash: String) {
        #expect(PasswordHash.fault(of: hash) == nil)
    }

    @Test(arguments: [
        "$argon2id$nonsense", "$argon2id$v=19$m=0,t=2,p=1$c2FsdHNhbHQ$VawEblbjCJ/sFpHCJUS2Bf",
        "$argon2id$v=19$m=19456,t=2$c2FsdHNhbHQ$VawEblbjCJ/sFpHCJUS2Bf", "$2b$10$trunc", "$2b$x$" + fiftyThree,
        "$5$saltstring$5B8vYYiY", "$6$rounds=x$saltstring$" + fiftyThree, "$7$C6..../....SodiumChloride$short",
        "$y$j9T$salt$short", "$y$", "$2b$", "$6$",
        // Bits to spare at the end of the salt and of the hash.
        "$2a$05$CCCCCCCCCCCCCCCCCCCCC/E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
        "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeX",
        // Salts that crypt(3) reads none of.
        "$5$salt string$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5",
        "$5$seventeen_letters$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5",
        "$7$C6..../....Sodium-Chloride$kBGj9fHznVYFQMEn/qDCfrDevf9YDtcDdKvEqHJLV8D",
        "$y$j9T$hbJQPF5JGJ7pRsmZLFhpW$rJMr38iQtAP/9/6BdI3ENiLFv9SUL4eXS6eJp9GLkd3",
        "$y$j9T$hbJQPF5JGJ7pRsmZLFhpWz$rJMr38iQtAP/9/6BdI3ENiLFv9SUL4eXS6eJp9GLkd3",
        "$2b$03$" + fiftyThree, "$5$rounds=5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5",
    ])
    func `a hash that no password could match is not imported`(hash: String) throws {
        #expect(try #require(PasswordHash.fault(of: hash)).contains("damaged"))
    }

    @Test(arguments: [
        "$argon2id$v=19$m=4194304,t=1,p=1$c2FsdHNhbHQ$VawEblbjCJ/sFpHCJUS2Bf",
        "$argon2id$v=19$m=65536,t=1,p=4096$c2FsdHNhbHQ$VawEblbjCJ/sFpHCJUS2Bf",
        "$7$C....k/....SodiumChloride$kBGj9fHznVYFQMEn/qDCfrDevf9YDtcDdKvEqHJLV8D",
        "$y$j9zzzz$salt$kBGj9fHznVYFQMEn/qDCfrDevf9YDtcDdKvEqHJLV8D",
        "$argon2id$v=19$m=65536,t=100000,p=1$c2FsdHNhbHQ$VawEblbjCJ/sFpHCJUS2Bf", "$2b$31$" + fiftyThree,
        "$5$rounds=999999999$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5",
        "$7$Z6..../....SodiumChloride$kBGj9fHznVYFQMEn/qDCfrDevf9YDtcDdKvEqHJLV8D",
        "$y$jZT$salt$kBGj9fHznVYFQMEn/qDCfrDevf9YDtcDdKvEqHJLV8D",
    ])
    func `a hash whose check would keep the server busy for long is not imported`(hash: String) throws {
        #expect(try #require(PasswordHash.fault(of: hash)).contains("costs too much"))
    }

    private static let fiftyThree = String(repeating: "a", count: 53)

    @Test(arguments: [
        "", "secret", "*0", "*1", "$1$abc$def", "$argon2i$v=19$m=8,t=1,p=1$a$b", "$pbkdf2-sha256$0$c2FsdA$AAAA",
        "$pbkdf2-sha256$x$c2FsdA$VawEblbjCJ", "$pbkdf2-sha256$1$c2FsdA$AAAA",
        "$pbkdf2-sha512$1$c2FsdA$AAAAAAAAAAAAAAAAAAAAAA",
    ])
    func `what is no hash that can be checked is not known, and nobody's`(hash: String) async throws {
        try await withHasher { hasher async throws in
            #expect(!PasswordHash.isKnown(hash))
            for password in ["secret", "", hash] {
                #expect(try await hasher.check(Secret(password), against: hash) == .wrong)
            }
        }
    }

    @Test(arguments: ["$2b$", "$2b$05$short", "$6$", "$argon2id$", "$argon2id$v=19$m=19456,t=2,p=1$", "$7$", "$y$"])
    func `a damaged hash is nobody's`(hash: String) async throws {
        try await withHasher { hasher async throws in
            for password in ["secret", "", hash, "*0"] {
                #expect(try await hasher.check(Secret(password), against: hash) == .wrong)
            }
        }
    }

    @Test func `a password ends neither at a NUL nor after 72 bytes`() async throws {
        let long = String(repeating: "a", count: 72)
        try await withHasher { hasher async throws in
            let nul = try await hasher.hash(Secret("secret\0one"))
            #expect(try await hasher.check(Secret("secret\0one"), against: nul) == .right)
            #expect(try await hasher.check(Secret("secret\0two"), against: nul) == .wrong)
            #expect(try await hasher.check(Secret("secret"), against: nul) == .wrong)
            let hash = try await hasher.hash(Secret(long + "b"))
            #expect(try await hasher.check(Secret(long + "b"), against: hash) == .right)
            #expect(try await hasher.check(Secret(long + "c"), against: hash) == .wrong)
            #expect(try await hasher.check(Secret(long), against: hash) == .wrong)
        }
    }

    @Test func `crypt stops at a NUL, so a password with one is never right for an imported hash`() async throws {
        let secret = "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"
        try await withHasher { hasher async throws in
            #expect(try await hasher.check(Secret("secret"), against: secret) == .rightButWeak)
            for password in ["secret\0", "secret\0x", "\0", "secret\0secret"] {
                #expect(try await hasher.check(Secret(password), against: secret) == .wrong)
            }
        }
    }

    @Test func `bcrypt looks at 72 bytes only: what is longer signs in, but is not taken for the whole password`()
        async throws
    {
        let long = String(repeating: "a", count: 72)
        let bcrypt = "$2b$04$abcdefghijklmnopqrstuuBzzIgyKkz7xMWYSzkIjUSnxEQFQ0WNe"
        try await withHasher { hasher async throws in
            #expect(try await hasher.check(Secret(long + "b"), against: bcrypt) == .right)
            #expect(try await hasher.check(Secret(long), against: bcrypt) == .rightButWeak)
            #expect(try await hasher.check(Secret(long.dropLast() + "b"), against: bcrypt) == .wrong)
        }
    }

    @Test func `the hash of nobody is checked like anybody's, and no password is right`() throws {
        #expect(Argon2id.isCurrent(Argon2id.ofNobody))
        // Any other answer, such as that it cannot be read, would come sooner.
        #expect(argon2id_verify(Argon2id.ofNobody, "secret", 6) == ARGON2_VERIFY_MISMATCH.rawValue)
    }

    @Test func `who has a place in the queue needs no second one`() async throws {
        let hasher = PasswordHasher(threads: 1, waiting: 0)
        let hash = try await hasher.queued { place async throws in
            await #expect(throws: PasswordHasher.Busy.self) { try await hasher.hash(Secret("secret")) }
            return try await place.hash(Secret("secret"))
        }
        #expect(try await hasher.check(Secret("secret"), against: hash) == .right)
        await hasher.shutDown()
    }

    @Test func `a full queue refuses, and goes on when there is room again`() async throws {
        let hasher = PasswordHasher(threads: 1, waiting: 2)
        let hash = try await hasher.hash(Secret("secret"))
        let outcomes = await withTaskGroup(of: PasswordHasher.Verdict?.self) { group in
            for _ in 0..<60 { group.addTask { try? await hasher.check(Secret("secret"), against: hash) } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.contains(nil) && outcomes.contains(.right) && !outcomes.contains(.wrong))
        #expect(try await hasher.check(Secret("secret"), against: hash) == .right)
        await hasher.shutDown()
    }

    @Test func `nobody enters past the limit, and each who leaves makes room for one`() {
        let queue = AdmissionQueue(limit: 2)
        #expect(queue.enter() && queue.enter() && !queue.enter() && !queue.enter())
        queue.leave()
        #expect(queue.enter() && !queue.enter())
    }
}
