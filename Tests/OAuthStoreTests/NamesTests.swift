/// A name server that is slow, silent or wrong (F5): connecting keeps its deadline.
import Dispatch
import Foundation
import OAuthStore
import TestBackends
import Testing

@testable import OAuthPostgres

@Suite struct `PostgreSQL: names` {
    private static let hasty = Deadlines(connect: .milliseconds(300), statement: .seconds(1))
    private static let patient = Deadlines(connect: .seconds(30), statement: .seconds(30))

    @Test func `F5: a silent name server holds up nobody beyond the connect deadline`() throws {
        let released = DispatchSemaphore(value: 0)
        let asked = Tally()
        let names = Names { _ throws(SQLError) in
            asked.count()
            released.wait()
            return []
        }
        let servers = try Servers(url: "postgres://nobody@db.example/nothing", deadlines: Self.hasty, names: names)
        let start = ContinuousClock.now
        for _ in 0..<5 {
            let error = #expect(throws: SQLError.self) { _ = try servers.connect() }
            #expect(error?.description.contains("db.example") ?? false)
        }
        #expect(ContinuousClock.now - start < .seconds(60))
        #expect(asked.total == 1, "who waits already is not asked again")
        released.signal()
    }

    @Test func `F5: a server whose name nobody knows does not keep the others`() async throws {
        try await Self.withServer { place throws in
            let released = DispatchSemaphore(value: 0)
            let names = Names { _ throws(SQLError) in
                released.wait()
                return []
            }
            let url = place.url(hosts: "db.example,127.0.0.1")
            _ = try Servers(url: url, deadlines: Self.patient, names: names).connect()
            released.signal()
        }
    }

    @Test func `F5: while no name server answers, the addresses of before are good`() async throws {
        try await Self.withServer { place throws in
            let released = DispatchSemaphore(value: 0)
            let asked = Tally()
            let names = Names { _ throws(SQLError) in
                asked.count()
                // Nobody listens at the first one: the next is called.
                if asked.total == 1 { return ["127.0.9.9", "127.0.0.1"] }
                if asked.total == 2 { throw .unavailable("the name server is confused") }
                released.wait()
                return []
            }
            let servers = try Servers(
                url: place.url(hosts: "db.example"),
                deadlines: Self.patient,
                names: names
            )
            for _ in 0..<4 { _ = try servers.connect() }
            #expect(asked.total == 3)
            released.signal()
        }
    }

    @Test func `only names are looked up`() {
        for host in ["127.0.0.1", "::1", "/run/postgresql", "@latchkey"] {
            #expect(Names.name(in: ["host": host]) == nil, "\(host)")
        }
        #expect(Names.name(in: ["host": "db.example", "hostaddr": "192.0.2.1"]) == nil)
        #expect(Names.name(in: [:]) == nil)
        #expect(Names.name(in: ["host": "db.example"]) == "db.example")
    }

    @Test func `the system knows itself, and not what does not exist`() throws {
        #expect(try Names.system("localhost").contains { $0 == "127.0.0.1" || $0 == "::1" })
        #expect(throws: SQLError.self) { try Names.system("there is no such name") }
    }

    private static func withServer(_ body: (URLComponents) throws -> Void) async throws {
        try await Backend.postgres.withStorage { storage in
            guard case .postgres(let url) = storage else { return }
            try body(try #require(URLComponents(string: url)))
        }
    }
}

extension URLComponents {
    /// The URL of the same database under other hosts, all at its port.
    fileprivate func url(hosts: String) -> String {
        var other = self
        other.host = "HOSTS"
        return (other.string ?? "").replacing("HOSTS", with: hosts)
    }
}
