/// What the customer's page is made of: browsers by their words, days by their names, forms by their seals.
import OAuth
import OAuthStore
import Testing

@testable import OAuthServer

@Suite struct `The customer's page` {
    @Test(arguments: [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox", "Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0",
            "Edge", "Windows"
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1",
            "Safari", "iPhone"
        ),
        (
            "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile Safari/537.36",
            "Chrome", "Android"
        ),
    ])
    func `a browser is known by words of a list`(_ text: String, _ family: String, _ system: String) {
        #expect(BrowserName(userAgent: text) == BrowserName(family: family, system: system))
    }

    @Test(arguments: [nil, "", "curl/8.0", "<script>alert(1)</script>"])
    func `nothing of another header is kept`(_ text: String?) {
        #expect(BrowserName(userAgent: text) == nil)
    }

    @Test func `a day is told as people tell it`() {
        let now = Instant(seconds: 1_618_354_090)
        #expect(AccountWords.english.time(now, now: now) == "today, 22:48 UTC")
        #expect(AccountWords.english.day(now - .days(1), now: now) == "yesterday")
        #expect(AccountWords.english.day(now - .days(2), now: now) == "11 April 2021")
        #expect(AccountWords.german.day(now - .days(40), now: now) == "4. März 2021")
    }

    @Test func `L07: a form's token and a notice belong to one session`() throws {
        let seal = AccountSeal(secretKey: TestServer.key(1))
        let (one, other) = (SecretDigest(of: "one"), SecretDigest(of: "other"))
        #expect(seal.token(of: one) != seal.token(of: other))
        #expect(seal.token(of: one) != AccountSeal(secretKey: TestServer.key(2)).token(of: one))
        for notice in AccountSeal.Notice.allCases {
            let text = seal.text(of: notice, in: one)
            #expect(seal.notice(text, in: one) == notice)
            #expect(seal.notice(text, in: other) == nil)
        }
        #expect(seal.notice(nil, in: one) == nil && seal.notice("disconnected", in: one) == nil)
    }
}
