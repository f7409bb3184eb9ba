import Foundation
import TestBackends
import Testing

extension Storage {
    /// The URL with further hosts before the real one.
    func url(hosts: String) throws -> String {
        guard case .postgres(let url) = self else { return "" }
        var components = try #require(URLComponents(string: url))
        let address = "\(components.host ?? "127.0.0.1"):\(components.port ?? 5432)"
        components.host = "HOSTS"
        components.port = nil
        return try #require(components.string).replacing("HOSTS", with: "\(hosts),\(address)")
    }
}
