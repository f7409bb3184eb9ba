import FoundationEssentials
import HTTPTypes
import Hummingbird
import Synchronization

/// A smart lock as the API shows it: what a list of locks needs, and what a device says of itself.
struct SampleLock: Sendable, ResponseEncodable {
    let lock_id: String
    let name: String
    let model: String
    let address: String

    let device_id: String
    let device_type: String
    let device_model: String
    let online: Bool
    let battery_level: Int
    let signal_quality: Int
    let location: Place
    let timezone: String
    /// The hub behind which it is, if there is one.
    let bridge_id: String?
    var lock_state: BoltState
    let door_state: String
    var device_time: Date
    var updated_at: Date

    /// Whether its bolt is stuck.
    var isJammed = false
    /// When an unlocked bolt goes back by itself.
    var locksAt: Date?

    private enum CodingKeys: CodingKey {
        case lock_id, name, model, address
        case device_id, device_type, device_model, online, battery_level, signal_quality, location, timezone, bridge_id
        case lock_state, door_state, device_time, updated_at
    }

    enum BoltState: String, Sendable, Encodable {
        case locked
        case unlocked
        case unknown
    }

    struct Place: Sendable, Encodable {
        let latitude: Double
        let longitude: Double
    }
}

/// An intercom as the API shows it.
struct SampleIntercom: Sendable, ResponseEncodable {
    let intercom_id: String
    let name: String
    let model: String
    let address: String

    /// Whether the company's cloud can reach it.
    var isConnected = true

    private enum CodingKeys: CodingKey {
        case intercom_id, name, model, address
    }
}

/// What one person has.
struct SampleHome: Sendable {
    var locks: [SampleLock]
    var intercoms: [SampleIntercom]
    var codes: [SampleAccessCode]

    /// The lock with an id.
    func lock(_ id: String) throws(DeviceError) -> SampleLock {
        guard let lock = locks.first(where: { $0.lock_id == id }) else { throw .unknown("lock", id) }
        return lock
    }

    /// The intercom with an id.
    func intercom(_ id: String) throws(DeviceError) -> SampleIntercom {
        guard let intercom = intercoms.first(where: { $0.intercom_id == id }) else {
            throw .unknown("intercom", id).worded(for: .older)
        }
        return intercom
    }

    /// Moves the bolt of a lock.
    ///
    /// - Parameters:
    ///   - id: which lock.
    ///   - state: where to.
    ///   - end: when an unlocked one locks itself again; nil leaves it open.
    ///   - now: the time.
    /// - Returns: the lock afterwards.
    /// - Throws: when there is no such lock, it is offline or it is stuck.
    mutating func move(
        _ id: String,
        to state: SampleLock.BoltState,
        until end: Date? = nil,
        at now: Date
    ) throws(DeviceError) -> SampleLock {
        guard let index = locks.firstIndex(where: { $0.lock_id == id }) else { throw .unknown("lock", id) }
        guard locks[index].online else { throw .offline }
        guard !locks[index].isJammed else { throw .jammed }
        locks[index].lock_state = state
        locks[index].locksAt = state == .unlocked ? end : nil
        locks[index].updated_at = now
        return locks[index]
    }

    /// What has happened by itself since the last look: bolts that went back.
    fileprivate mutating func passTime(until now: Date) {
        for index in locks.indices {
            if locks[index].online { locks[index].device_time = now }
            guard let end = locks[index].locksAt, end <= now else { continue }
            locks[index].lock_state = .locked
            locks[index].locksAt = nil
            locks[index].updated_at = end
        }
    }
}

/// Everybody's homes, in memory: a person who comes for the first time finds five locks and two intercoms.
final class SampleHomes: Sendable {
    private let homes = Mutex<[String: SampleHome]>([:])
    private let now: @Sendable () -> Date

    private static let peopleLimit = 10_000

    init(now: @escaping @Sendable () -> Date) {
        self.now = now
    }

    /// Reads or changes the home of a person, alone; what `work` throws has changed nothing.
    func home<Result: Sendable>(
        of userID: String,
        _ work: @Sendable (inout SampleHome, Date) throws(DeviceError) -> Result
    ) throws(DeviceError) -> Result {
        let outcome = homes.withLock { homes -> Swift.Result<Result, DeviceError> in
            let now = now()
            // The sample forgets everybody rather than grow for ever.
            if homes[userID] == nil, homes.count >= Self.peopleLimit { homes.removeAll() }
            var home = homes[userID] ?? SampleHome(of: userID, at: now)
            home.passTime(until: now)
            do throws(DeviceError) {
                var changed = home
                let result = try work(&changed, now)
                homes[userID] = changed
                return .success(result)
            } catch {
                homes[userID] = home
                return .failure(error)
            }
        }
        return try outcome.get()
    }
}

extension SampleHome {
    /// A new home; its identifiers come from the person's, so that they are the same after a restart.
    fileprivate init(of userID: String, at now: Date) {
        let start = "\(userID.suffix(10))"
        locks = Self.doors.enumerated().map { index, door in
            let id = "lock_\(start)_\(index + 1)"
            return SampleLock(
                lock_id: id,
                name: door.name,
                model: door.model,
                address: door.isAtHome ? Self.town : Self.lake,
                device_id: id,
                device_type: "smart_lock",
                device_model: door.model,
                online: door.isOnline,
                battery_level: door.battery,
                signal_quality: door.signal,
                location: door.isAtHome
                    ? .init(latitude: 45.5202, longitude: -122.6950) : .init(latitude: 44.0440, longitude: -121.3340),
                timezone: "America/Los_Angeles",
                bridge_id: door.isAtHome ? "bridge_\(start)_1" : nil,
                lock_state: door.isOnline ? .locked : .unknown,
                door_state: "closed",
                device_time: now,
                updated_at: now,
                isJammed: door.isJammed
            )
        }
        intercoms = [
            SampleIntercom(
                intercom_id: "intercom_\(start)_1",
                name: "Street entrance",
                model: "Halden Call",
                address: Self.town
            ),
            SampleIntercom(
                intercom_id: "intercom_\(start)_2",
                name: "Parking garage",
                model: "Halden Call",
                address: Self.town,
                isConnected: false
            ),
        ]
        codes = [
            SampleAccessCode(
                access_code_id: "ac_\(start)_1",
                lock_id: locks[0].lock_id,
                intercom_id: nil,
                owner_id: userID,
                name: "Cleaner",
                code: "4829",
                starts_at: nil,
                ends_at: nil
            ),
            SampleAccessCode(
                access_code_id: "ac_\(start)_2",
                lock_id: nil,
                intercom_id: intercoms[0].intercom_id,
                owner_id: userID,
                name: "Resident 1",
                code: "1234",
                starts_at: nil,
                ends_at: nil
            ),
        ]
    }

    private struct Door {
        let name: String
        let model: String
        let battery: Int
        let signal: Int
        var isAtHome = true
        var isOnline = true
        var isJammed = false
    }

    /// The last two are there to be in trouble: one is offline, the other stuck.
    private static let doors = [
        Door(name: "Front door", model: "Halden One", battery: 87, signal: -54),
        Door(name: "Back door", model: "Halden One", battery: 64, signal: -61),
        Door(name: "Holiday cabin", model: "Halden Keypad 2", battery: 41, signal: -73, isAtHome: false),
        Door(name: "Garden gate (offline)", model: "Halden One", battery: 3, signal: -99, isOnline: false),
        Door(name: "Cellar door (jammed)", model: "Halden One", battery: 55, signal: -70, isJammed: true),
    ]

    private static let town = "12 Juniper Lane, Portland, OR 97205, United States"
    private static let lake = "3 Lakeview Road, Bend, OR 97702, United States"
}
