import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import OAuth
import OAuthGuard
import SampleAPI
import Testing

/// The rows of the partners' guides that speak of the API itself.
@Suite struct SampleAPITests {
    private func withAPI(
        _ test: @escaping @Sendable (any TestClientProtocol, FakeIssuer) async throws -> Void
    ) async throws {
        let issuer = try FakeIssuer()
        try await issuer.run { base in
            let router = Router()
            SampleCompany(verifier: .offline(issuer.offline(base))).addRoutes(to: router)
            try await Application(router: router).test(.router) { client in try await test(client, issuer) }
        }
    }

    @Test func `its paths are told, so that nobody else takes one`() {
        let told = Set(SampleCompany.paths)
        for path in ["/health", "/locks", "/v1/locks", "/locks/{id}", "/webhooks", "/api/client/v1/contacts"] {
            #expect(told.contains(path), "\(path)")
        }
        #expect(!told.contains("/"))
        for path in ["/locks", "/locks/any", "/v1/locks/any/unlock"] { #expect(SampleCompany.serves(path), "\(path)") }
        for path in ["/", "/lock", "/locks/any/other"] { #expect(!SampleCompany.serves(path), "\(path)") }
    }

    private func bearer(_ token: String) -> HTTPFields { [.authorization: "Bearer \(token)"] }

    private func text(_ response: TestResponse, _ member: String) throws -> String? {
        try object(response)[member] as? String
    }

    private func locks(_ client: any TestClientProtocol, _ token: String, path: String = "/locks") async throws
        -> [String]
    {
        try await client.execute(uri: path, method: .get, headers: bearer(token)) { response in
            #expect(response.status == .ok)
            let locks = try required(try object(response)["locks"] as? [[String: Any]])
            return locks.compactMap { $0["lock_id"] as? String }
        }
    }

    @Test func `L-12: GET /health needs no token`() async throws {
        try await withAPI { client, _ in
            try await client.execute(uri: "/health", method: .get) { response in
                #expect(response.status == .ok)
                #expect(String(buffer: response.body) == #"{"ok":true}"#)
            }
        }
    }

    @Test func `S1-13: the API takes a bearer token, and says invalid_token to a bad one`() async throws {
        try await withAPI { client, issuer in
            let token = try issuer.token(issuer.content(lifetime: .seconds(60)))
            try await client.execute(uri: "/locks", method: .get, headers: bearer(token)) { #expect($0.status == .ok) }
            issuer.clock.advance(.seconds(60))
            try await client.execute(uri: "/locks", method: .get, headers: bearer(token)) { response in
                #expect(response.status == .unauthorized)
                #expect(response.headers[.wwwAuthenticate]?.contains(#"error="invalid_token""#) == true)
            }
            try await client.execute(uri: "/locks", method: .get) { #expect($0.status == .unauthorized) }
        }
    }

    @Test(arguments: ["/locks", "/v1/locks"])
    func `L-13: a lock has the members of both guides`(path: String) async throws {
        try await withAPI { client, issuer in
            let token = try issuer.token(issuer.content(scope: "locks.read"))
            let ids = try await locks(client, token, path: path)
            #expect(ids.count == 5)
            #expect(Set(ids).count == 5)
            try await client.execute(uri: "\(path)/\(ids[0])", method: .get, headers: bearer(token)) { response in
                #expect(response.status == .ok)
                let lock = try object(response)
                let members = [
                    "lock_id", "name", "model", "address", "device_id", "device_type", "device_model", "online",
                    "battery_level", "signal_quality", "location", "timezone", "lock_state", "door_state",
                    "device_time",
                    "updated_at",
                ]
                for member in members { #expect(lock[member] != nil, "\(member)") }
                #expect(lock["lock_id"] as? String == ids[0])
                #expect(lock["device_type"] as? String == "smart_lock")
            }
        }
    }

    @Test func `L-13: a lock is unlocked and locked, with the scope for it`() async throws {
        try await withAPI { client, issuer in
            let token = try issuer.token()
            let id = try await locks(client, token)[0]
            for (verb, state) in [("unlock", "unlocked"), ("lock", "locked")] {
                try await client.execute(uri: "/locks/\(id)/\(verb)", method: .post, headers: bearer(token)) {
                    response in
                    #expect(response.status == .ok)
                    let ok = try object(response)["ok"] as? Bool
                    #expect(ok == true)
                }
                try await client.execute(uri: "/locks/\(id)", method: .get, headers: bearer(token)) { response in
                    try #expect(text(response, "lock_state") == state)
                }
            }
            let reader = try issuer.token(issuer.content(scope: "locks.read"))
            try await client.execute(uri: "/locks/\(id)/unlock", method: .post, headers: bearer(reader)) { response in
                #expect(response.status == .forbidden)
                #expect(response.headers[.wwwAuthenticate]?.contains(#"scope="locks.write""#) == true)
            }
        }
    }

    @Test func `Seam §1.3: an action is accepted as pending`() async throws {
        try await withAPI { client, issuer in
            let token = try issuer.token()
            let id = try await locks(client, token)[1]
            let command = ByteBuffer(string: #"{"action":"unlock","custom_id":"req_98aa221"}"#)
            try await client.execute(
                uri: "/locks/\(id)/actions",
                method: .post,
                headers: bearer(token),
                body: command
            ) { response in
                let answer = try object(response)
                #expect(answer["status"] as? String == "pending")
                #expect(answer["custom_id"] as? String == "req_98aa221")
                #expect(answer["lock_id"] as? String == id)
                #expect((answer["action_id"] as? String)?.hasPrefix("act_") == true)
            }
            for (body, status, code) in [
                ("{", 400, "BAD_COMMAND"), ("[]", 400, "BAD_COMMAND"),
                (#"{"action":"explode"}"#, 422, "UNKNOWN_ACTION"),
            ] {
                try await client.execute(
                    uri: "/locks/\(id)/actions",
                    method: .post,
                    headers: bearer(token),
                    body: ByteBuffer(string: body)
                ) { response in
                    #expect(response.status.code == status)
                    try #expect(text(response, "error_code") == code)
                }
            }
        }
    }

    @Test func `Seam §1.3: nobody reaches another person's lock`() async throws {
        try await withAPI { client, issuer in
            let alice = try issuer.token()
            let bob = try issuer.token(issuer.content(subject: "usr_bob"))
            let id = try await locks(client, alice)[0]
            try await #expect(!locks(client, bob).contains(id))
            for (method, path) in [(HTTPRequest.Method.get, ""), (.post, "/unlock"), (.post, "/lock")] {
                try await client.execute(uri: "/locks/\(id)\(path)", method: method, headers: bearer(bob)) { response in
                    #expect(response.status == .notFound)
                    try #expect(text(response, "error_code") == "LOCK_NOT_FOUND")
                    try #expect(text(response, "message") != nil)
                }
            }
        }
    }

    @Test func `A client's own token speaks for no person: 403`() async throws {
        try await withAPI { client, issuer in
            let own = try issuer.token(issuer.content(subject: nil, connection: nil))
            try await client.execute(uri: "/locks", method: .get, headers: bearer(own)) { response in
                #expect(response.status == .forbidden)
                try #expect(text(response, "error_code") == "PERSON_REQUIRED")
            }
        }
    }
}
