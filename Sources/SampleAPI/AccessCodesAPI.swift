import FoundationEssentials
import HTTPTypes
import Hummingbird
import OAuthGuard

/// An access code as the API shows it; it opens a lock or an intercom.
struct SampleAccessCode: Sendable, ResponseEncodable {
    let access_code_id: String
    let lock_id: String?
    let intercom_id: String?
    let owner_id: String
    var name: String
    var code: String
    var starts_at: Date?
    var ends_at: Date?
    var status = "active"

    var device: String? { lock_id ?? intercom_id }

    private enum CodingKeys: CodingKey {
        case access_code_id, lock_id, intercom_id, owner_id, name, code, starts_at, ends_at, status
    }

    /// A code without limits says so: `null`.
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(access_code_id, forKey: .access_code_id)
        try container.encodeIfPresent(lock_id, forKey: .lock_id)
        try container.encodeIfPresent(intercom_id, forKey: .intercom_id)
        try container.encode(owner_id, forKey: .owner_id)
        try container.encode(name, forKey: .name)
        try container.encode(code, forKey: .code)
        try container.encode(starts_at, forKey: .starts_at)
        try container.encode(ends_at, forKey: .ends_at)
        try container.encode(status, forKey: .status)
    }
}

/// Access codes, as all guides have them: made and changed by the current one, listed and removed by the older.
extension SampleCompany {
    func addAccessCodes<Context: GuardedRequestContext>(
        reading: RouterGroup<Context>,
        writing: RouterGroup<Context>
    ) {
        reading.get("locks/:id/access_codes") { _, context in
            let id = try context.id
            return ["access_codes": try codes(of: try context.person, lock: id, intercom: nil)]
        }
        reading.get("access_codes") { request, context in
            let (lock, intercom) = (request.query("lock_id"), request.query("intercom_id"))
            guard (lock == nil) != (intercom == nil) else {
                throw DeviceError.badRequest("BAD_REQUEST", "Name the device: ?lock_id= or ?intercom_id=, one of them.")
            }
            return ["access_codes": try codes(of: try context.person, lock: lock, intercom: intercom)]
        }
        reading.get("access_codes/:id") { _, context in
            let id = try context.id
            return try homes.home(of: try context.person) { home, _ throws(DeviceError) in home.codes[try home.code(id)]
            }
        }
        writing.post("locks/:id/access_codes") { request, context in try await make(request, context) }
        writing.patch("access_codes/:id") { request, context in try await change(request, context) }
        writing.delete("access_codes/:id") { _, context in try remove(context) }
    }

    /// The codes of a device; one that is not there is an error, not an empty list.
    private func codes(of person: String, lock: String?, intercom: String?) throws(DeviceError) -> [SampleAccessCode] {
        try homes.home(of: person) { home, _ throws(DeviceError) in
            if let lock { _ = try home.lock(lock) }
            if let intercom { _ = try home.intercom(intercom) }
            return home.codes.filter { $0.device == lock ?? intercom }
        }
    }

    private func make(_ request: Request, _ context: some GuardedRequestContext) async throws -> SampleAccessCode {
        let (person, id) = (try context.person, try context.id)
        guard let wish = await request.object(CodeWish.self, context), let pin = wish.code else {
            throw CodeWish.unreadable
        }
        let made = try homes.home(of: person) { home, _ throws(DeviceError) in
            guard try home.lock(id).online else { throw .offline }
            let code = SampleAccessCode(
                access_code_id: "ac_\(UInt64.random(in: .min ... .max))",
                lock_id: id,
                intercom_id: nil,
                owner_id: person,
                name: wish.name ?? "Access code",
                code: pin,
                starts_at: wish.starts_at,
                ends_at: wish.ends_at
            )
            try home.check(code)
            guard home.codes.count(where: { $0.lock_id == id }) < Self.codesPerLock else { throw .codesAreFull }
            home.codes.append(code)
            return code
        }
        return tell("access_code.created", made, context)
    }

    private func change(_ request: Request, _ context: some GuardedRequestContext) async throws -> SampleAccessCode {
        let (person, id) = (try context.person, try context.id)
        guard let wish = await request.object(CodeWish.self, context) else { throw CodeWish.unreadable }
        let changed = try homes.home(of: person) { home, _ throws(DeviceError) in
            let index = try home.code(id)
            try home.requireReachable(home.codes[index])
            var code = home.codes[index]
            code.name = wish.name ?? code.name
            code.code = wish.code ?? code.code
            code.starts_at = wish.starts_at ?? code.starts_at
            code.ends_at = wish.ends_at ?? code.ends_at
            try home.check(code)
            home.codes[index] = code
            return code
        }
        return tell("access_code.updated", changed, context)
    }

    private func remove(_ context: some GuardedRequestContext) throws -> RemovedCode {
        let (person, id) = (try context.person, try context.id)
        let removed = try homes.home(of: person) { home, _ throws(DeviceError) in
            let index = try home.code(id)
            try home.requireReachable(home.codes[index])
            return home.codes.remove(at: index)
        }
        _ = tell("access_code.deleted", removed, context)
        return RemovedCode(access_code_id: id)
    }

    /// Tells the webhooks that the device has taken the change, and answers as the guide wants: on its way.
    private func tell(
        _ type: String,
        _ code: SampleAccessCode,
        _ context: some GuardedRequestContext
    ) -> SampleAccessCode {
        var event = DeviceEvent(type, device: code.device, at: now())
        event.access_code_id = code.access_code_id
        event.status = "success"
        if type != "access_code.deleted" {
            event.code = code.code
            event.starts_at = code.starts_at
            event.ends_at = code.ends_at
        }
        webhooks.tell(event, to: context.accessToken?.clientID)
        var answer = code
        answer.status = "pending"
        return answer
    }

    private static let codesPerLock = 100
}

extension SampleHome {
    /// Where a code stands in `codes`.
    fileprivate func code(_ id: String) throws(DeviceError) -> Int {
        guard let index = codes.firstIndex(where: { $0.access_code_id == id }) else {
            throw .unknown("access code", id)
        }
        return index
    }

    /// A code cannot be changed on a device that the company's cloud cannot reach.
    fileprivate func requireReachable(_ code: SampleAccessCode) throws(DeviceError) {
        if let id = code.lock_id, try !lock(id).online { throw .offline.worded(for: .both) }
        if let id = code.intercom_id, try !intercom(id).isConnected { throw .disconnected }
    }

    fileprivate func check(_ code: SampleAccessCode) throws(DeviceError) {
        guard (4...8).contains(code.code.utf8.count), code.code.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            throw DeviceError(
                status: .unprocessableContent,
                code: "INVALID_PIN",
                message: "A PIN has four to eight digits."
            )
        }
        guard code.name.count <= 100 else { throw CodeWish.unreadable }
        if let start = code.starts_at, let end = code.ends_at, start >= end {
            throw DeviceError(
                status: .unprocessableContent,
                code: "INVALID_WINDOW",
                message: "starts_at must be before ends_at."
            )
        }
        let isTaken = codes.contains {
            $0.device == code.device && $0.code == code.code && $0.access_code_id != code.access_code_id
        }
        guard !isTaken else { throw .pinConflict }
    }
}

extension DeviceError {
    fileprivate static let codesAreFull = DeviceError(
        status: .unprocessableContent,
        code: "CODES_FULL",
        message: "The device cannot hold more access codes."
    )
}

/// What a request says of a code.
private struct CodeWish: Decodable {
    let name: String?
    let code: String?
    let starts_at: Date?
    let ends_at: Date?

    static let unreadable = DeviceError.badRequest(
        "BAD_ACCESS_CODE",
        #"Send JSON such as {"name": "Jane", "code": "4829", "starts_at": "2026-05-22T15:00:00Z", "ends_at": null}."#
    )
}

/// The answer to a removal, in the words of both guides.
private struct RemovedCode: ResponseEncodable {
    let ok = true
    let access_code_id: String
    let status = "pending"

    private enum CodingKeys: CodingKey {
        case ok, access_code_id, status
    }
}
