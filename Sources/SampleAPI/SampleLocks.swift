import FoundationEssentials
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
    var lock_state: BoltState
    let door_state: String
    var device_time: Date
    var updated_at: Date

    enum BoltState: String, Sendable, Encodable {
        case locked
        case unlocked
    }

    struct Place: Sendable, Encodable {
        let latitude: Double
        let longitude: Double
    }
}

/// Everybody's locks, in memory: a person who comes for the first time finds three.
final class SampleLocks: Sendable {
    private let locks = Mutex<[String: [SampleLock]]>([:])
    private let now: @Sendable () -> Date

    init(now: @escaping @Sendable () -> Date) {
        self.now = now
    }

    /// The locks of a person.
    func all(of userID: String) -> [SampleLock] {
        locks.withLock { locks in
            let now = now()
            return homes(&locks, of: userID, at: now).map { lock in
                var lock = lock
                lock.device_time = now
                return lock
            }
        }
    }

    /// Moves the bolt of a person's lock.
    /// - Returns: the lock afterwards; nil when this person has no such lock, whoever else may have it.
    func move(_ id: String, of userID: String, to state: SampleLock.BoltState) -> SampleLock? {
        locks.withLock { locks in
            let now = now()
            var theirs = homes(&locks, of: userID, at: now)
            guard let index = theirs.firstIndex(where: { $0.lock_id == id }) else { return nil }
            theirs[index].lock_state = state
            theirs[index].device_time = now
            theirs[index].updated_at = now
            locks[userID] = theirs
            return theirs[index]
        }
    }

    private func homes(_ locks: inout [String: [SampleLock]], of userID: String, at now: Date) -> [SampleLock] {
        if let known = locks[userID] { return known }
        // The sample forgets everybody rather than grow for ever.
        if locks.count >= Self.peopleLimit { locks.removeAll() }
        let new = Self.newHome(of: userID, at: now)
        locks[userID] = new
        return new
    }

    /// The identifiers come from the person's, so that they are the same after a restart.
    private static func newHome(of userID: String, at now: Date) -> [SampleLock] {
        let doors: [(name: String, model: String, address: String, battery: Int, signal: Int)] = [
            ("Front door", "Halden One", "12 Juniper Lane, Portland, OR 97205, United States", 87, -54),
            ("Back door", "Halden One", "12 Juniper Lane, Portland, OR 97205, United States", 64, -61),
            ("Holiday cabin", "Halden Keypad 2", "3 Lakeview Road, Bend, OR 97702, United States", 41, -73),
        ]
        return doors.enumerated().map { index, door in
            let id = "lock_\(userID.suffix(10))_\(index + 1)"
            let isAtHome = index < 2
            return SampleLock(
                lock_id: id,
                name: door.name,
                model: door.model,
                address: door.address,
                device_id: id,
                device_type: "smart_lock",
                device_model: door.model,
                online: true,
                battery_level: door.battery,
                signal_quality: door.signal,
                location: isAtHome
                    ? .init(latitude: 45.5202, longitude: -122.6950) : .init(latitude: 44.0440, longitude: -121.3340),
                timezone: "America/Los_Angeles",
                lock_state: .locked,
                door_state: "closed",
                device_time: now,
                updated_at: now
            )
        }
    }

    private static let peopleLimit = 10_000
}
