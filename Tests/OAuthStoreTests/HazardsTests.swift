/// What of PostgreSQL's settings is not safe, and what to do about it (security.md §0, decision 10).
import Testing

@testable import OAuthPostgres

@Suite struct `PostgreSQL: unsafe settings` {
    private static let safe = [
        "fsync": "on", "full_page_writes": "on", "synchronous_commit": "on", "synchronous_standby_names": "ANY 1 (*)",
    ]

    @Test func `nothing is said of what is safe`() {
        #expect(Hazards.of(Self.safe, hasStandbys: true, mayBeStandby: false).isEmpty)
        let alone = Self.safe.merging(["synchronous_standby_names": ""]) { $1 }
        #expect(Hazards.of(alone, hasStandbys: false, mayBeStandby: false).isEmpty)
    }

    @Test(arguments: [
        ("fsync", "off"), ("full_page_writes", "off"), ("synchronous_commit", "off"), ("synchronous_commit", "local"),
        ("synchronous_commit", "remote_write"), ("synchronous_standby_names", ""),
    ])
    func `each unsafe setting is named with its remedy`(_ name: String, _ value: String) throws {
        let settings = Self.safe.merging([name: value]) { $1 }
        let found = Hazards.of(settings, hasStandbys: true, mayBeStandby: false)
        #expect(found.count == 1)
        #expect(try #require(found.first).contains("set \(name)"))
    }

    @Test func `a URL that lets a standby be read is unsafe`() {
        #expect(Hazards.of(Self.safe, hasStandbys: false, mayBeStandby: true).count == 1)
    }
}
