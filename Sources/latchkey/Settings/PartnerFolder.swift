import Foundation
import OAuth

extension Deployment {
    /// The embedded partner profiles, with those of the folder that the settings name.
    func profiles() throws -> PartnerProfiles {
        let embedded = try PartnerProfiles.embedded()
        guard let folder = partners else { return embedded }
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: folder)
                .filter { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }.sorted()
        } catch {
            throw Complaint("partners names the folder \(folder), which cannot be read: name one that exists")
        }
        let files = try names.map { name in
            let path = "\(folder)/\(name)"
            guard let data = FileManager.default.contents(atPath: path) else {
                throw Complaint("the partner profile \(path) cannot be read")
            }
            return (name: path, text: String(decoding: data, as: UTF8.self))
        }
        return try embedded.overridden(by: try PartnerProfiles(files: files))
    }
}
