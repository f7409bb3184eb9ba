/// Authorizations on their way: sealed, bound to their browser, over after an hour (RFC 6749 §10.12).
import OAuth
import Testing

@testable import OAuthServer

@Suite struct `Transaction seal` {
    private static let now = Instant(seconds: 1_618_354_090)
    private static let browser = SecretDigest(of: "cookie")
    private let seal = TransactionSeal(secretKey: TestServer.key(1))
    private let id = [UInt8](repeating: 9, count: 16)

    private static let transaction = AuthorizationTransaction(
        id: [UInt8](repeating: 7, count: 16),
        browser: browser,
        startedAt: now,
        parameters: Form(["client_id": "a", "state": " ü%20", "x": ""]),
        proved: AccountID(bytes: [UInt8](repeating: 3, count: 16)),
        selected: AccountID(bytes: [UInt8](repeating: 1, count: 16)),
        named: nil
    )

    @Test func `a transaction comes back as it went in`() throws {
        var named = Self.transaction
        named.selected = nil
        named.proved = nil
        named.named = AccountID(bytes: [UInt8](repeating: 2, count: 16))
        var listed = named
        listed.listed = try Scope("read write")
        var empty = named
        empty.listed = Scope.none
        for transaction in [Self.transaction, named, listed, empty] {
            let text = try seal.seal(transaction, id: id)
            #expect(try seal.open(text, browser: Self.browser, now: Self.now) == transaction)
            #expect(text.utf8.allSatisfy { $0.isASCIIWord })
        }
    }

    @Test func `F12: it opens in no other epoch than its own`() throws {
        let text = try seal.seal(Self.transaction, id: id)
        for epoch in [Int64(1), 2] {
            let restored = TransactionSeal(secretKey: TestServer.key(1), epoch: epoch)
            #expect(throws: TransactionSeal.Failure.expired) {
                try restored.open(text, browser: Self.browser, now: Self.now)
            }
            let fresh = try restored.seal(Self.transaction, id: id)
            #expect(try restored.open(fresh, browser: Self.browser, now: Self.now) == Self.transaction)
        }
    }

    @Test func `it opens in no other browser, and in none without a cookie`() throws {
        let text = try seal.seal(Self.transaction, id: id)
        for browser in [SecretDigest(of: "another"), nil] {
            do throws(TransactionSeal.Failure) {
                _ = try seal.open(text, browser: browser, now: Self.now)
                Issue.record("it opened")
            } catch {
                #expect(error == .otherBrowser(Self.transaction.parameters))
            }
        }
    }

    @Test func `it is over after an hour, in any browser`() throws {
        let text = try seal.seal(Self.transaction, id: id)
        let end = Self.now + .hours(1)
        #expect(try seal.open(text, browser: Self.browser, now: end - .milliseconds(1)) == Self.transaction)
        for browser in [Self.browser, nil] {
            #expect(throws: TransactionSeal.Failure.expired) { try seal.open(text, browser: browser, now: end) }
        }
    }

    @Test func `no character of it can be changed, added or left out`() throws {
        let text = Array(try seal.seal(Self.transaction, id: id).utf8)
        var forged = [Array(text.dropLast()), text + [UInt8(ascii: "A")], Array(text.dropFirst()), []]
        for place in text.indices {
            var changed = text
            changed[place] = text[place] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            forged.append(changed)
        }
        for bytes in forged {
            #expect(throws: TransactionSeal.Failure.expired) {
                try seal.open(String(decoding: bytes, as: UTF8.self), browser: Self.browser, now: Self.now)
            }
        }
    }

    @Test func `a server with another secret key cannot open it, and no other sealed text is one`() throws {
        let text = try seal.seal(Self.transaction, id: id)
        #expect(throws: TransactionSeal.Failure.expired) {
            try TransactionSeal(secretKey: TestServer.key(2)).open(text, browser: Self.browser, now: Self.now)
        }
        let device = try KnownDevice(nil, adding: .customer("jane@example.com"), random: id)
            .sealed(id: id, key: TestServer.key(1).derived(for: "known devices"))
        #expect(throws: TransactionSeal.Failure.expired) {
            try seal.open(device, browser: Self.browser, now: Self.now)
        }
    }

    @Test func `a transaction has one code, whatever it was sealed with, and no two have the same`() {
        var chosen = Self.transaction
        chosen.named = AccountID(bytes: [UInt8](repeating: 2, count: 16))
        let other = AuthorizationTransaction(
            id: [UInt8](repeating: 8, count: 16),
            browser: Self.browser,
            startedAt: Self.now,
            parameters: Form()
        )
        let code = seal.code(of: Self.transaction).reveal()
        #expect(seal.code(of: chosen).reveal() == code)
        #expect(seal.code(of: other).reveal() != code)
        #expect(TransactionSeal(secretKey: TestServer.key(2)).code(of: Self.transaction).reveal() != code)
        #expect(code.hasPrefix("lkc_") && code.utf8.count == 4 + 43)
    }
}

extension UInt8 {
    /// Whether it is a letter, a digit, `-` or `_`: it needs no escape in a URL or an attribute.
    fileprivate var isASCIIWord: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
