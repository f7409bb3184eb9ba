/// Every partner profile that this server knows, by id.
public struct PartnerProfiles: Sendable {
    private let profiles: [String: PartnerProfile]

    /// The profiles that come with the program: the files of the folder `Profiles`, which the build embeds.
    public static func embedded() throws(PartnerProfileError) -> PartnerProfiles {
        try PartnerProfiles(files: embeddedFiles)
    }

    /// Reads profiles from their files' texts.
    /// - Throws: `PartnerProfileError` for the first that cannot be used, or when two have the same id or path.
    public init(files: [(name: String, text: String)]) throws(PartnerProfileError) {
        var profiles: [String: PartnerProfile] = [:]
        for file in files {
            let profile = try PartnerProfile(yaml: file.text, file: file.name)
            if let other = profiles.updateValue(profile, forKey: profile.id) {
                throw PartnerProfileError(
                    file: file.name,
                    reason: "has the id '\(profile.id)', which \(other.file) has too"
                )
            }
        }
        try self.init(profiles)
    }

    /// The profile with this id.
    public subscript(_ id: String) -> PartnerProfile? { profiles[id] }

    /// All ids, sorted.
    public var ids: [String] { profiles.keys.sorted() }

    /// All profiles, by id.
    public var all: [PartnerProfile] { ids.compactMap { profiles[$0] } }

    /// These profiles with others added; one of the same id takes the place of the embedded one.
    /// - Throws: `PartnerProfileError` when two of them have the same path.
    public func overridden(by others: PartnerProfiles) throws(PartnerProfileError) -> PartnerProfiles {
        try PartnerProfiles(profiles.merging(others.profiles) { _, other in other }, added: Set(others.ids))
    }

    /// Makes sure that no profile takes a path which means something else on a server.
    ///
    /// - Parameter owner: says of a path whose it is and what to do about it; nil for one that is free.
    /// - Throws: `PartnerProfileError` for the first profile that takes one.
    public func refusePaths(_ owner: (String) -> String?) throws(PartnerProfileError) {
        for profile in all {
            for path in profile.rules.endpoints.all {
                guard let whose = owner(path.text) else { continue }
                throw PartnerProfileError(
                    file: profile.file,
                    line: path.line,
                    reason: "the path \(path.text) is \(whose)"
                )
            }
        }
    }

    /// A path can belong to one profile only, whatever it is there; of two, the one that was added is to give way.
    private init(
        _ profiles: [String: PartnerProfile],
        added: Set<String> = []
    ) throws(PartnerProfileError) {
        self.profiles = profiles
        var owners: [String: String] = [:]
        for profile in all.filter({ !added.contains($0.id) }) + all.filter({ added.contains($0.id) }) {
            for path in profile.rules.endpoints.all {
                guard let owner = owners.updateValue(profile.id, forKey: path.text) else { continue }
                throw PartnerProfileError(
                    file: profile.file,
                    line: path.line,
                    reason: "the path \(path.text) is taken by the profile '\(owner)': a path can belong to one only"
                )
            }
        }
    }
}
