/// The API of a company that makes smart locks, as small as it can be, with OAuthGuard before its door.
///
///     GET  /health                -> {"ok": true}                                           no token
///     GET  /locks                 -> {"locks": [{"lock_id", "name", "model", "address", …}]}  scope locks.read
///     GET  /locks/{id}            -> the lock                                                 scope locks.read
///     POST /locks/{id}/unlock     -> {"ok": true, "lock": {…}}                                scope locks.write
///     POST /locks/{id}/lock       -> {"ok": true, "lock": {…}}                                scope locks.write
///     POST /locks/{id}/actions    {"action": "lock"|"unlock", "custom_id"?} -> {"action_id", …}  scope locks.write
///
/// The same routes answer under `/v1`. What the API itself refuses is `{"error_code", "message"}`; what OAuthGuard
/// refuses has the form of RFC 6750.

public import FoundationEssentials
import HTTPTypes
public import Hummingbird
public import OAuthGuard

/// Adds the sample API's routes to a router of any context.
///
/// - Parameters:
///   - router: where the routes are added.
///   - verifier: how access tokens are checked.
///   - now: the clock of the locks.
public func addSampleAPI<Context: RequestContext>(
    to router: some RouterMethods<Context>,
    verifier: TokenVerifier,
    now: @escaping @Sendable () -> Date = { Date() }
) {
    router.get("health") { _, _ in ["ok": true] }

    let api = LocksAPI(locks: SampleLocks(now: now))
    for base in ["", "v1"] {
        let guarded = router.group(RouterPath(base), context: GuardedContext<Context>.self)
            .add(middleware: BearerTokenMiddleware(verifier, realm: "locks"))
        guarded.group().add(middleware: RequireScope("locks.read"))
            .get("locks", use: api.list)
            .get("locks/:id", use: api.show)
        guarded.group().add(middleware: RequireScope("locks.write"))
            .post("locks/:id/unlock", use: api.unlock)
            .post("locks/:id/lock", use: api.lock)
            .post("locks/:id/actions", use: api.act)
    }
}

/// The handlers, which ask the token whose locks it is about, and nothing else in the request.
private struct LocksAPI: Sendable {
    let locks: SampleLocks

    @Sendable func list(_ request: Request, _ context: some GuardedRequestContext) async throws -> [String:
        [SampleLock]]
    {
        ["locks": locks.all(of: try context.person)]
    }

    @Sendable func show(_ request: Request, _ context: some GuardedRequestContext) async throws -> SampleLock {
        let id = try context.lockID
        guard let lock = locks.all(of: try context.person).first(where: { $0.lock_id == id }) else {
            throw APIError.noSuchLock(id)
        }
        return lock
    }

    @Sendable func unlock(_ request: Request, _ context: some GuardedRequestContext) async throws -> Done {
        Done(lock: try move(.unlocked, context))
    }

    @Sendable func lock(_ request: Request, _ context: some GuardedRequestContext) async throws -> Done {
        Done(lock: try move(.locked, context))
    }

    /// Accepts a command and says that it is on its way, as a lock behind a radio link would.
    @Sendable func act(_ request: Request, _ context: some GuardedRequestContext) async throws -> AcceptedAction {
        _ = try context.person
        guard let command = try? await request.decode(as: Command.self, context: context) else {
            throw APIError.unreadableCommand
        }
        let state: SampleLock.BoltState
        switch command.action {
        case "lock": state = .locked
        case "unlock": state = .unlocked
        default: throw APIError.unknownAction(command.action)
        }
        return AcceptedAction(
            action_id: "act_\(UInt64.random(in: .min ... .max))",
            custom_id: command.custom_id,
            status: "pending",
            lock_id: try move(state, context).lock_id,
            action: command.action
        )
    }

    private func move(_ state: SampleLock.BoltState, _ context: some GuardedRequestContext) throws -> SampleLock {
        let id = try context.lockID
        guard let lock = locks.move(id, of: try context.person, to: state) else { throw APIError.noSuchLock(id) }
        return lock
    }
}

extension GuardedRequestContext {
    /// Whose locks these are: nobody's in a client's own token (client_credentials), which speaks for no person.
    fileprivate var person: String {
        get throws {
            guard let person = try requireAccessToken().userID else { throw APIError.noPerson }
            return person
        }
    }

    fileprivate var lockID: String {
        get throws { try parameters.require("id") }
    }
}

/// The body of a command.
private struct Command: Decodable {
    let action: String
    let custom_id: String?
}

/// The answer to a command: accepted, not yet done.
private struct AcceptedAction: ResponseEncodable {
    let action_id: String
    let custom_id: String?
    let status: String
    let lock_id: String
    let action: String
}

/// The answer to a bolt that moved.
private struct Done: ResponseEncodable {
    let ok = true
    let lock: SampleLock

    private enum CodingKeys: CodingKey {
        case ok
        case lock
    }
}

/// What the API refuses once the token was good.
private enum APIError: HTTPResponseError {
    case noSuchLock(String)
    case noPerson
    case unreadableCommand
    case unknownAction(String)

    var status: HTTPResponse.Status {
        switch self {
        case .noSuchLock: .notFound
        case .noPerson: .forbidden
        case .unreadableCommand: .badRequest
        case .unknownAction: .unprocessableContent
        }
    }

    private var body: [String: String] {
        switch self {
        case .noSuchLock(let id):
            ["error_code": "LOCK_NOT_FOUND", "message": "This account has no lock '\(id.prefix(60))'."]
        case .noPerson:
            [
                "error_code": "PERSON_REQUIRED",
                "message": "This token belongs to the application itself. Locks belong to people: connect an account.",
            ]
        case .unreadableCommand:
            ["error_code": "BAD_COMMAND", "message": #"Send JSON such as {"action": "unlock"}."#]
        case .unknownAction(let name):
            ["error_code": "UNKNOWN_ACTION", "message": "'\(name.prefix(60))' is neither 'lock' nor 'unlock'."]
        }
    }

    func response(from request: Request, context: some RequestContext) throws -> Response {
        var response = try context.responseEncoder.encode(body, from: request, context: context)
        response.status = status
        return response
    }
}
