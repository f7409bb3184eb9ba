// A partner as an outsider would write one: an ordinary OAuth 2.0 client (RFC 6749 §4.1) with PKCE (RFC 7636).
//
// It knows the two addresses, its own credentials and the API, as a partner does, and never looks into the server.
//
//     GET  /                   the button "Connect your locks"
//     GET  /connect            remembers state and verifier in a cookie, goes to the authorization server
//     GET  /oauth/callback     checks state, turns the code into tokens, goes to /connected
//     GET  /denied             says that nothing was connected
//     GET  /connected          the tokens, the user_id, and the locks as the API shows them
//     POST /connected/move     locks or unlocks one lock
//     POST /connected/refresh  refreshes twenty times at once, then tries every token it ever got

public import AsyncHTTPClient
import Crypto
import FoundationEssentials
import HTTPTypes
public import Hummingbird
import HummingbirdCore
import NIOCore
import NIOHTTP1

/// Adds the sample partner's pages to a router of any context.
///
/// - Parameters:
///   - router: where the routes are added.
///   - settings: the partner's registration.
///   - httpClient: with which it calls the token endpoint and the API.
///   - patience: how long an answer of theirs may take, its body included.
public func addSamplePartner<Context: RequestContext>(
    to router: some RouterMethods<Context>,
    settings: SamplePartnerSettings,
    httpClient: HTTPClient = .shared,
    patience: Duration = .seconds(10)
) {
    let partner = Partner(settings: settings, httpClient: httpClient, patience: patience)
    router.get("/") { _, _ in partner.page(welcomePage(settings)) }
    router.get("connect") { request, _ in partner.connect(request) }
    router.get("oauth/callback") { request, _ in await partner.callback(request) }
    router.get("denied") { _, _ in partner.page(deniedPage(settings)) }
    router.get("connected") { request, _ in await partner.connected(request) }
    router.post("connected/move") { request, _ in await partner.move(request) }
    router.post("connected/refresh") { request, _ in await partner.refreshTwenty(request) }
    router.get("partner.css") { _, _ in
        Response(
            status: .ok,
            headers: [.contentType: "text/css; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: partnerStylesheet))
        )
    }
}

private struct Partner: Sendable {
    let settings: SamplePartnerSettings
    let httpClient: HTTPClient
    let patience: Duration
    let connections = PartnerConnections()

    // MARK: The walk of RFC 6749 §4.1

    /// Step A: sends the browser to the authorization server, and keeps in a cookie what must come back.
    func connect(_ request: Request) -> Response {
        let state = randomText()
        let verifier = randomText()
        var attempts = Attempts(request.cookies[Self.attempts]?.value ?? "")
        attempts.add(state: state, verifier: verifier)
        var parameters: [(String, String)] = [
            ("response_type", "code"),
            ("client_id", settings.clientID),
            ("redirect_uri", settings.redirectURI),
            ("scope", settings.scopes.joined(separator: " ")),
            ("state", state),
            ("code_challenge", base64URL(SHA256.hash(data: Array(verifier.utf8)))),
            ("code_challenge_method", "S256"),
        ]
        if let prompt = settings.prompt { parameters.append(("prompt", prompt)) }
        let separator = settings.authorizeURL.contains("?") ? "&" : "?"
        var response = redirect(to: settings.authorizeURL + separator + formEncoded(parameters))
        response.setCookie(attemptsCookie(attempts))
        return response
    }

    /// Steps C to E: the browser is back, with a code or an error.
    func callback(_ request: Request) async -> Response {
        let query = request.uri.queryParameters
        var attempts = Attempts(request.cookies[Self.attempts]?.value ?? "")
        guard let state = query["state"], let verifier = attempts.take(state: String(state)) else {
            let isConnected = sessionID(request).map { connections[$0] != nil } ?? false
            return page(strangerPage(settings, isConnected: isConnected), status: .badRequest)
        }
        var response: Response
        if let error = query["error"].map(String.init) {
            // Somewhere else than here, where a reload would repeat an answer that has been taken.
            response =
                error == "access_denied"
                ? redirect(to: "/denied")
                : page(
                    troublePage(settings, "\(error): \(query["error_description"].map(String.init) ?? "")"),
                    status: .badGateway
                )
        } else {
            do {
                let tokens = try await requestTokens([
                    ("grant_type", "authorization_code"),
                    ("code", query["code"].map(String.init) ?? ""),
                    ("redirect_uri", settings.redirectURI),
                    ("code_verifier", verifier),
                ])
                let id = randomText()
                connections.add(PartnerConnection(tokens), id: id)
                if settings.triesConnectionsOut { await tryOut(id) }
                response = redirect(to: "/connected")
                response.setCookie(cookie(Self.session, id, maxAge: 86400, path: "/"))
            } catch {
                response = page(troublePage(settings, error.text), status: .badGateway)
            }
        }
        // One attempt, one answer.
        response.setCookie(attemptsCookie(attempts))
        return response
    }

    /// A request to the token endpoint (RFC 6749 §4.1.3 and §6), as form with the credentials in the body (§2.3.1).
    private func requestTokens(_ parameters: [(String, String)]) async throws(PartnerTrouble) -> TokenAnswer {
        let credentials = [("client_id", settings.clientID), ("client_secret", settings.clientSecret)]
        var request = HTTPClientRequest(url: settings.tokenURL)
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/x-www-form-urlencoded")
        request.headers.add(name: "accept", value: "application/json")
        request.body = .bytes(ByteBuffer(string: formEncoded(parameters + credentials)))
        let answer = try await send(request)
        guard answer.status == 200, let tokens = try? JSONDecoder().decode(TokenAnswer.self, from: answer.body) else {
            throw answer.trouble("The token endpoint")
        }
        return tokens
    }

    /// Asks for a new access token; `invalid_grant` is the one answer after which asking again is of no use.
    private func refresh(_ refreshToken: String, of id: String) async throws(PartnerTrouble) -> TokenAnswer {
        do {
            return try await requestTokens([("grant_type", "refresh_token"), ("refresh_token", refreshToken)])
        } catch {
            if error.isEnd { connections.update(id) { $0.end = error.text } }
            throw error
        }
    }

    // MARK: With a connection

    /// Shows everything that the partner has.
    func connected(_ request: Request) async -> Response {
        guard let id = sessionID(request), connections[id] != nil else { return redirect(to: "/") }
        var locks: [PartnerLock] = []
        var trouble: String?
        do throws(PartnerTrouble) { locks = try await readLocks(as: id) } catch { trouble = error.text }
        guard let connection = connections[id] else { return redirect(to: "/") }
        if let end = connection.end { return page(endedPage(settings, end)) }
        connections.update(id) { $0.notice = nil }
        return page(connectedPage(settings, connection, locks, trouble: trouble))
    }

    /// What a person would press first: unlocks a lock, locks it again, and refreshes twenty times at once.
    private func tryOut(_ id: String) async {
        do {
            let locks = try await readLocks(as: id)
            var done = "\(locks.count) locks were read"
            if let lock = locks.first(where: { $0.lock_state != "unlocked" }) {
                for action in ["unlock", "lock"] {
                    _ = try await callAPI("POST", "/locks/\(percentEncoded(lock.lock_id))/\(action)", as: id)
                }
                done += ", \(lock.name ?? lock.lock_id) was unlocked through the API and locked again"
            }
            connections.update(id) { $0.trial = done + ", and the connection was refreshed twenty times at once." }
        } catch {
            connections.update(id) { $0.notice = error.text }
        }
        await refreshTwenty(as: id)
    }

    private func readLocks(as id: String) async throws(PartnerTrouble) -> [PartnerLock] {
        let answer = try await callAPI("GET", "/locks", as: id)
        guard let locks = try? JSONDecoder().decode([String: [PartnerLock]].self, from: answer.body)["locks"] else {
            throw PartnerTrouble(text: "The API's answer could not be read.")
        }
        return locks
    }

    /// Locks or unlocks one lock.
    func move(_ request: Request) async -> Response {
        guard let id = sessionID(request), connections[id] != nil else { return redirect(to: "/") }
        var request = request
        guard let body = try? await request.collectBody(upTo: 4096),
            let form = try? URLEncodedFormDecoder().decode(MoveForm.self, from: String(buffer: body)),
            ["lock", "unlock"].contains(form.action)
        else { return redirect(to: "/connected") }
        await move(form.lock_id, named: form.name, form.action, as: id)
        return redirect(to: "/connected")
    }

    private func move(_ lock: String, named name: String, _ action: String, as id: String) async {
        let notice: String
        do {
            _ = try await callAPI("POST", "/locks/\(percentEncoded(lock))/\(action)", as: id)
            notice = "\(name) is \(action)ed."
        } catch {
            notice = error.text
        }
        connections.update(id) { $0.notice = notice }
    }

    /// What many workers of one partner do by accident: all of them refresh with the same token at the same moment.
    func refreshTwenty(_ request: Request) async -> Response {
        guard let id = sessionID(request), connections[id] != nil else { return redirect(to: "/") }
        await refreshTwenty(as: id)
        return redirect(to: "/connected#refreshes")
    }

    private func refreshTwenty(as id: String) async {
        guard let refreshToken = connections[id]?.refreshToken else { return }
        let began = ContinuousClock.now
        let answers = await withTaskGroup(of: Result<TokenAnswer, PartnerTrouble>.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    do throws(PartnerTrouble) { return .success(try await refresh(refreshToken, of: id)) } catch {
                        return .failure(error)
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        let took = ContinuousClock.now - began
        var failures: [String] = []
        for answer in answers {
            switch answer {
            case .success(let tokens): connections.update(id) { $0.take(tokens) }
            case .failure(let trouble): failures.append(trouble.text)
            }
        }
        let tokens = connections[id]?.liveTokens ?? []
        let trials = await withTaskGroup(of: RefreshRun.Trial.self) { group in
            for (index, token) in tokens.enumerated() {
                group.addTask {
                    let answer = try? await send(apiRequest("GET", "/locks", token.text))
                    return RefreshRun.Trial(number: index + 1, token: token.text, status: answer?.status)
                }
            }
            return await group.reduce(into: []) { $0.append($1) }.sorted { $0.number < $1.number }
        }
        connections.update(id) { $0.lastRun = RefreshRun(trials: trials, failures: failures, took: took) }
    }

    /// Calls the API with the newest token; when that has ended, refreshes once and tries again.
    private func callAPI(_ method: String, _ path: String, as id: String) async throws(PartnerTrouble) -> Answer {
        guard let connection = connections[id] else { throw PartnerTrouble(text: "There is no connection.") }
        var answer = try await send(apiRequest(method, path, connection.accessToken))
        if answer.status == 401 {
            guard let refreshToken = connection.refreshToken else {
                connections.update(id) { $0.end = answer.trouble("The API").text }
                throw answer.trouble("The API")
            }
            let tokens = try await refresh(refreshToken, of: id)
            connections.update(id) { $0.take(tokens) }
            answer = try await send(apiRequest(method, path, tokens.access_token))
        }
        guard answer.status == 200 else { throw answer.trouble("The API") }
        return answer
    }

    private func apiRequest(_ method: String, _ path: String, _ accessToken: String) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: settings.apiBase + path)
        request.method = HTTPMethod(rawValue: method)
        request.headers.add(name: "authorization", value: "Bearer \(accessToken)")
        return request
    }

    private func send(_ request: HTTPClientRequest) async throws(PartnerTrouble) -> Answer {
        do {
            return try await withThrowingTaskGroup(of: Answer.self) { group in
                group.addTask {
                    let response = try await httpClient.execute(request, timeout: TimeAmount(patience))
                    let body = try await response.body.collect(upTo: 1 << 20)
                    return Answer(status: Int(response.status.code), body: Data(body.readableBytesView))
                }
                // The client's own timeout does not count the time that a body takes.
                group.addTask {
                    try await Task.sleep(for: patience)
                    throw HTTPClientError.deadlineExceeded
                }
                defer { group.cancelAll() }
                guard let answer = try await group.next() else { throw CancellationError() }
                return answer
            }
        } catch {
            throw PartnerTrouble(text: "\(request.url) did not answer.")
        }
    }

    // MARK: Answers to the browser

    func page(_ markup: Markup, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status,
            headers: [
                .contentType: "text/html; charset=utf-8",
                .cacheControl: "no-store",
                .contentSecurityPolicy: "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
                    + "frame-ancestors 'none'",
                .xContentTypeOptions: "nosniff",
            ],
            body: ResponseBody(byteBuffer: ByteBuffer(string: markup.html))
        )
    }

    private func redirect(to location: String) -> Response {
        Response(status: .seeOther, headers: [.location: location, .cacheControl: "no-store"])
    }

    private func cookie(_ name: String, _ value: String, maxAge: Int, path: String) -> Cookie {
        Cookie(
            name: name,
            value: value,
            maxAge: maxAge,
            path: path,
            secure: settings.redirectURI.hasPrefix("https:"),
            httpOnly: true,
            sameSite: .lax
        )
    }

    private func sessionID(_ request: Request) -> String? { request.cookies[Self.session]?.value }

    private func attemptsCookie(_ attempts: Attempts) -> Cookie {
        cookie(Self.attempts, attempts.text, maxAge: attempts.text.isEmpty ? 0 : 900, path: "/")
    }

    private static let attempts = "sample_partner_attempts"
    private static let session = "sample_partner_session"
}

/// The form of the buttons beside a lock.
private struct MoveForm: Decodable {
    let lock_id: String
    let name: String
    let action: String
}
