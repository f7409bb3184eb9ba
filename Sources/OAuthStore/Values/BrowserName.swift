/// Which browser a session is in, in words of a closed list: what a person needs to know it again, and nothing that
/// tells one visitor from another.
public struct BrowserName: Sendable, Hashable {
    /// The browser's family, such as `Firefox`; nil for another one.
    public let family: String?
    /// The system that it runs on, such as `Windows`; nil for another one.
    public let system: String?

    /// Makes a name.
    public init(family: String?, system: String?) {
        self.family = family
        self.system = system
    }

    /// As the database keeps it.
    var stored: String { "\(family ?? "")/\(system ?? "")" }

    init(stored: String) {
        let parts = stored.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        family = parts.first.flatMap { $0.isEmpty ? nil : $0 }
        system = parts.dropFirst().first.flatMap { $0.isEmpty ? nil : $0 }
    }
}
