import Foundation
import Glibc
import OAuth
import OAuthServer
import SampleAPI

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
            let reason = FileTrial.unreadable(folder, otherKind: ENOTDIR, missing: "name one that exists")
            throw Complaint("partners names the folder \(folder), which cannot be read: \(reason)")
        }
        let files = try names.map { name in
            let path = "\(folder)/\(name)"
            return (name: path, text: try Self.profileText(path))
        }
        let profiles = try embedded.overridden(by: try PartnerProfiles(files: files))
        try profiles.refuseOwnPaths()
        if sampleAPI { try refuseSamplePaths(profiles) }
        return profiles
    }

    /// The sample API is served at the root and below the issuer's path; a router takes a path and method once.
    private func refuseSamplePaths(_ profiles: PartnerProfiles) throws(PartnerProfileError) {
        let base = issuer.flatMap { Issuer($0, allowsInsecure: true) }?.path ?? ""
        try profiles.refusePaths { path in
            guard SampleCompany.serves(path) || SampleCompany.serves(base + path) else { return nil }
            return "the sample API's: choose one that it does not serve, or leave sample-api off"
        }
    }

    /// The text of a profile's file, unless it cannot be one.
    private static func profileText(_ path: String) throws(Complaint) -> String {
        guard let file = FileHandle(forReadingAtPath: path) else { throw unreadable(path) }
        let data: Data
        do {
            // Of an empty file there is nothing to be read, not even nothing.
            data = try file.read(upToCount: profileLimit + 1) ?? Data()
        } catch {
            throw unreadable(path)
        }
        guard !data.isEmpty else {
            throw Complaint("the partner profile \(path) is empty: write one, or take the file away")
        }
        guard data.count <= profileLimit else {
            throw Complaint(
                "the partner profile \(path) is larger than \(profileLimit / 1024) KiB, which no profile is"
            )
        }
        return try WrittenText.read(data, of: "the partner profile \(path)")
    }

    private static func unreadable(_ path: String) -> Complaint {
        let reason = FileTrial.unreadable(path, missing: "it is not there, or a link that leads nowhere")
        return Complaint("the partner profile \(path) cannot be read: \(reason)")
    }

    /// The largest file of a profile that is read, in bytes.
    private static let profileLimit = 256 * 1024
}
