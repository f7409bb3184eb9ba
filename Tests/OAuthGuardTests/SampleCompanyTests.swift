import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import OAuth
import OAuthGuard
import SampleAPI
import Synchronization
import Testing

/// What the sample API does as time passes: minutes, doors that close, webhooks that are not taken.
@Suite struct SampleCompanyTests {
    private func withCompany(
        courier: WebhookCourier? = nil,
        _ test: @escaping @Sendable (any TestClientProtocol, FakeIssuer) async throws -> Void
    ) async throws {
        let issuer = try FakeIssuer()
        try await issuer.run { base in
            let company = SampleCompany(
                verifier: .offline(issuer.offline(base)),
                courier: courier,
                now: { Date(timeIntervalSince1970: Double(issuer.clock.now.milliseconds) / 1000) }
            )
            let router = Router()
            company.addRoutes(to: router)
            company.addRoutes(to: router.group("base"))
            try await Application(router: router).test(.router) { client in try await test(client, issuer) }
        }
    }

    private func call(
        _ client: any TestClientProtocol,
        _ method: HTTPRequest.Method,
        _ path: String,
        _ token: String,
        _ body: String? = nil
    ) async throws -> TestResponse {
        var headers: HTTPFields = [.authorization: "Bearer \(token)"]
        if let body { headers[.contentLength] = "\(body.utf8.count)" }
        return try await client.execute(
            uri: path,
            method: method,
            headers: headers,
            body: body.map { ByteBuffer(string: $0) }
        )
    }

    @Test func `A-12: after the minute an organisation may call again, wherever the API is mounted`() async throws {
        try await withCompany { client, issuer in
            let token = try issuer.token(issuer.content(scope: "publicAPI.v1.all"))
            for number in 0..<60 {
                let base = number.isMultiple(of: 2) ? "" : "/base"
                let response = try await call(client, .post, base + "/api/client/v1/search/contacts", token, "{}")
                #expect(response.status == .ok)
            }
            issuer.clock.advance(.seconds(50))
            let refused = try await call(client, .post, "/api/client/v1/search/contacts", token, "{}")
            #expect(refused.status == .tooManyRequests)
            #expect(refused.headers[.retryAfter] == "10")
            let reset = refused.headers[try required(HTTPField.Name("X-RateLimit-Reset"))].flatMap { Int64($0) }
            #expect(reset == issuer.clock.now.seconds + 10)
            issuer.clock.advance(.seconds(10))
            let again = try await call(client, .post, "/api/client/v1/search/contacts", token, "{}")
            #expect(again.status == .ok)
            #expect(again.headers[try required(HTTPField.Name("X-RateLimit-Remaining"))] == "59")
        }
    }

    @Test func `L-13: a door that was opened for a time closes by itself`() async throws {
        try await withCompany { client, issuer in
            let token = try issuer.token()
            let list = try await call(client, .get, "/locks", token)
            let locks = try required(try object(list)["locks"] as? [[String: Any]])
            let path = "/locks/\(try required(locks[0]["lock_id"] as? String))"
            _ = try await call(client, .post, path + "/unlock", token, #"{"unlock_time":1500}"#)
            issuer.clock.advance(.milliseconds(1499))
            #expect(try object(await call(client, .get, path, token))["lock_state"] as? String == "unlocked")
            issuer.clock.advance(.milliseconds(1))
            #expect(try object(await call(client, .get, path, token))["lock_state"] as? String == "locked")
        }
    }

    @Test func `Seam §1.3: a webhook that is not taken is tried again with growing pauses for more than 24 hours`()
        async throws
    {
        let pauses = Mutex<[Duration]>([])
        let bodies = Mutex<Set<Data>>([])
        let (ends, end) = AsyncStream<Void>.makeStream()
        let clock = Mutex<FakeIssuer?>(nil)
        let courier = WebhookCourier(
            wait: { pause in
                pauses.withLock { $0.append(pause) }
                clock.withLock { $0 }?.clock.advance(pause)
            },
            deliver: { _, _, body in
                bodies.withLock { _ = $0.insert(body) }
                guard pauses.withLock({ $0.reduce(.zero, +) }) < .hours(25) else {
                    end.finish()
                    return 200
                }
                return 503
            }
        )
        try await withCompany(courier: courier) { client, issuer in
            clock.withLock { $0 = issuer }
            let long = Duration.days(3)
            let own = try issuer.token(issuer.content(subject: nil, connection: nil, lifetime: long))
            let hook = #"{"url":"https://partner.example/hook","events":["lock.action_completed"]}"#
            let made = try await call(client, .post, "/webhooks", own, hook)
            #expect(made.status == .ok)
            let token = try issuer.token(issuer.content(lifetime: long))
            let list = try await call(client, .get, "/locks", token)
            let locks = try required(try object(list)["locks"] as? [[String: Any]])
            let path = "/locks/\(try required(locks[0]["lock_id"] as? String))/actions"
            #expect(try await call(client, .post, path, token, #"{"action":"unlock"}"#).status == .ok)
            for await _ in ends {}
        }
        let waited = pauses.withLock { $0 }
        #expect(waited.prefix(5) == [.seconds(1), .seconds(2), .seconds(4), .seconds(8), .seconds(16)])
        #expect(zip(waited, waited.dropFirst()).allSatisfy { $0 <= $1 } && waited.last == .seconds(3600))
        #expect(waited.reduce(.zero, +) >= .hours(24))
        #expect(bodies.withLock { $0.count } == 1)
    }
}
