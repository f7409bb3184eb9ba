/// Every partner profile that this server knows, by id.
public struct PartnerProfiles: Sendable {
    private let profiles: [String: PartnerProfile]

    /// The profiles that come with the program.
    public static func embedded() throws(PartnerProfileError) -> PartnerProfiles {
        try PartnerProfiles(files: [
            ("seam.yaml", String(decoding: PackageResources.seam_yaml, as: UTF8.self))
        ])
    }

    /// Reads profiles from their files' texts.
    /// - Throws: `PartnerProfileError` for the first that cannot be used, or when two have the same id.
    public init(files: [(name: String, text: String)]) throws(PartnerProfileError) {
        var profiles: [String: PartnerProfile] = [:]
        for file in files {
            let profile = try PartnerProfile(yaml: file.text, file: file.name)
            guard profiles.updateValue(profile, forKey: profile.id) == nil else {
                throw PartnerProfileError(
                    file: file.name,
                    reason: "has the id '\(profile.id)', which another one has too"
                )
            }
        }
        self.profiles = profiles
    }

    /// The profile with this id.
    public subscript(_ id: String) -> PartnerProfile? { profiles[id] }

    /// All ids, sorted.
    public var ids: [String] { profiles.keys.sorted() }

    /// These profiles with others added; one of the same id takes the place of the embedded one.
    public func overridden(by others: PartnerProfiles) -> PartnerProfiles {
        PartnerProfiles(profiles.merging(others.profiles) { _, other in other })
    }

    private init(_ profiles: [String: PartnerProfile]) {
        self.profiles = profiles
    }
}
