import Hummingbird
import OAuthGuard

/// Intercoms, as their guide has them; its list stands below `/door_locks`, its single ones below `/intercoms`.
extension SampleCompany {
    func addIntercoms<Context: GuardedRequestContext>(
        reading: RouterGroup<Context>,
        writing: RouterGroup<Context>
    ) {
        for path in ["intercoms", "door_locks"] {
            reading.get(RouterPath(path)) { _, context in
                ["intercoms": try homes.home(of: try context.person) { home, _ throws(DeviceError) in home.intercoms }]
            }
        }
        reading.get("intercoms/:id") { _, context in
            let id = try context.id
            return try homes.home(of: try context.person) { home, _ throws(DeviceError) in try home.intercom(id) }
        }
        writing.post("intercoms/:id/unlock") { request, context in
            let id = try context.id
            _ = try await request.unlockTime(context)
            try homes.home(of: try context.person) { home, _ throws(DeviceError) in
                guard try home.intercom(id).isConnected else { throw .disconnected }
            }
            return ["ok": true]
        }
    }
}

extension DeviceError {
    static let disconnected = DeviceError(
        status: .internalServerError,
        code: "INTERCOM_DISCONNECTED",
        message: "Intercom is disconnected",
        guide: .older
    )
}
