import FoundationEssentials
import HTTPTypes
import Hummingbird
import OAuthGuard

/// Locks, as the current and the older guide for door locks have them.
extension SampleCompany {
    func addLocks<Context: GuardedRequestContext>(
        reading: RouterGroup<Context>,
        writing: RouterGroup<Context>
    ) {
        reading.get("locks") { _, context in
            ["locks": try homes.home(of: try context.person) { home, _ throws(DeviceError) in home.locks }]
        }
        reading.get("locks/:id") { _, context in
            let id = try context.id
            return try homes.home(of: try context.person) { home, _ throws(DeviceError) in try home.lock(id) }
        }
        writing.post("locks/:id/unlock") { request, context in
            try move(try context.id, to: .unlocked, for: await request.unlockTime(context), context)
        }
        writing.post("locks/:id/lock") { _, context in try move(try context.id, to: .locked, for: nil, context) }
        writing.post("locks/:id/actions") { request, context in try await act(request, context) }
    }

    /// Moves a bolt and waits for it, as the older guide has it: what goes wrong is a 500 with `error_id`.
    private func move(
        _ id: String,
        to state: SampleLock.BoltState,
        for time: Duration?,
        _ context: some GuardedRequestContext
    ) throws -> MovedLock {
        let lock = try homes.home(of: try context.person) { home, now throws(DeviceError) in
            do throws(DeviceError) {
                return try home.move(id, to: state, until: time.map { now + $0 / .seconds(1) }, at: now)
            } catch {
                throw error.status == .notFound ? error : error.worded(for: .both, status: .internalServerError)
            }
        }
        return MovedLock(lock: lock)
    }

    /// Takes a command and says that it is on its way, as a lock behind a radio link would; the result is told by webhook.
    private func act(_ request: Request, _ context: some GuardedRequestContext) async throws -> AcceptedAction {
        let (person, id) = (try context.person, try context.id)
        guard let command = await request.object(Command.self, context) else {
            throw DeviceError.badRequest("BAD_COMMAND", #"Send JSON such as {"action": "unlock"}."#)
        }
        let state: SampleLock.BoltState
        switch command.action {
        case "lock": state = .locked
        case "unlock": state = .unlocked
        default:
            throw DeviceError(
                status: .unprocessableContent,
                code: "UNKNOWN_ACTION",
                message: "'\(command.action.prefix(60))' is neither 'lock' nor 'unlock'."
            )
        }
        let failure = try homes.home(of: person) { home, now throws(DeviceError) -> DeviceError? in
            do throws(DeviceError) {
                _ = try home.move(id, to: state, at: now)
                return nil
            } catch {
                // A stuck bolt is found out on the way; that a lock is offline is known at once.
                guard error.code == DeviceError.jammed.code else { throw error }
                return error
            }
        }
        let accepted = AcceptedAction(
            action_id: "act_\(UInt64.random(in: .min ... .max))",
            custom_id: command.custom_id,
            status: "pending",
            lock_id: id,
            action: command.action
        )
        var event = DeviceEvent("lock.action_completed", device: id, at: now())
        event.action_id = accepted.action_id
        event.custom_id = accepted.custom_id
        event.action = accepted.action
        event.status = failure == nil ? "success" : "failed"
        event.performed_via = failure == nil ? "remote_api" : nil
        event.error_code = failure?.code
        event.message = failure?.message
        webhooks.tell(event, to: context.accessToken?.clientID)
        return accepted
    }
}

extension Request {
    /// How long a door is to stay open: `unlock_time`, in milliseconds; nil when the body does not say.
    func unlockTime(_ context: some RequestContext) async throws(DeviceError) -> Duration? {
        guard !isWithoutBody else { return nil }
        guard let body = await object(Unlocking.self, context), (1...86_400_000).contains(body.unlock_time ?? 1000)
        else {
            throw .badRequest(
                "BAD_UNLOCK_TIME",
                #"Send JSON such as {"unlock_time": 5000}: milliseconds, at most a day."#
            )
        }
        return body.unlock_time.map { .milliseconds($0) }
    }
}

private struct Unlocking: Decodable {
    let unlock_time: Int64?
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
private struct MovedLock: ResponseEncodable {
    let ok = true
    let lock: SampleLock

    private enum CodingKeys: CodingKey {
        case ok
        case lock
    }
}
