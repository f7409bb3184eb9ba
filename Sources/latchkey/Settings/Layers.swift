import Configuration
import Foundation
import OAuth
import OAuthServer

/// Where the value of a setting came from.
enum Origin: Sendable, CustomStringConvertible {
    case flag(String)
    case environment(String)
    case file(String)

    var description: String {
        switch self {
        case .flag(let name): "--\(name)"
        case .environment(let name): name
        case .file(let path): path
        }
    }
}

/// The three layers of settings: flags before the environment before the file.
struct Layers: Sendable {
    private typealias Layer = (provider: any ConfigProvider, origin: @Sendable (Knob) -> Origin)

    private let layers: [Layer]
    private let file: SettingsFile?

    /// Gathers the layers.
    ///
    /// - Parameters:
    ///   - flags: what the command line set, by the settings' names.
    ///   - configuration: the file that the command line names.
    ///   - isFileNeeded: whether a usual file that is there must be readable.
    ///   - environment: the process's environment.
    /// - Throws: a `Complaint` when the file cannot be read.
    init(
        flags: [String: String],
        configuration: String?,
        isFileNeeded: Bool = true,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(Complaint) {
        // An empty variable is one that nobody set: that is how compose files leave them out.
        let variables = environment.filter { $0.key.hasPrefix("LATCHKEY_") && !$0.value.isEmpty }
        // A secret or a password would be another one, which nobody chose.
        if let name = variables.filter({ $0.value.hasReplacedBytes }).keys.min() {
            throw Complaint("the environment variable \(name) is not UTF-8: write its value in that encoding")
        }
        let file = try SettingsFile.find(named: configuration ?? variables[Self.fileVariable], isNeeded: isFileNeeded)
        var layers: [Layer] = [
            (Self.provider("flags", flags), { .flag($0.name) }),
            (
                EnvironmentVariablesProvider(environmentVariables: variables).prefixKeys(with: "latchkey"),
                { .environment($0.variable) }
            ),
        ]
        if let file { layers.append((Self.provider("file", file.values), { _ in .file(file.path) })) }
        self.layers = layers
        self.file = file
        for name in variables.keys.sorted() where name != Self.fileVariable && !Self.isKnown(name) {
            warn("the environment variable \(name) is not a setting, and is ignored\(Self.suggestion(for: name))")
        }
    }

    /// Reads every setting.
    ///
    /// - Parameter names: beginnings of the names of those that are read from the environment and the file; nil for all.
    /// - Returns: what they say.
    /// - Throws: a `Complaint` that names the first wrong setting, its value and what to write.
    func read(only names: [String]? = nil) throws(Complaint) -> Deployment {
        var deployment = Deployment()
        for knob in Knob.all {
            let isRead = names?.contains(where: knob.name.hasPrefix) ?? true
            guard let (text, origin) = try value(of: knob, in: isRead ? layers[...] : layers.prefix(1)) else {
                guard isRead, let file, file.blanks.contains(knob.name) else { continue }
                throw Complaint(
                    "\(knob.name) in \(file.path) has no value: write one, in quotes if it begins with #, or take the line away"
                )
            }
            guard knob.take(text, &deployment) else {
                throw Complaint(
                    knob.name + (knob.isSecret ? "" : " is '\(Self.withoutPassword(text).prefix(100))'")
                        + " (from \(origin))" + (knob.isSecret ? "" : ", but") + " must be \(knob.expected)"
                        + (knob.isSecret ? "" : "; " + (knob.remedy(text) ?? "for example: \(knob.example)"))
                )
            }
            deployment.origins[knob.name] = origin
        }
        if let file {
            deployment.settings.scopes = deployment.settings.scopes.map { file.words[$0.name] ?? $0 }
        }
        return deployment
    }

    /// A text without what may be a password in it: of a URL its user information and query; of what looks like a database's
    /// address in another notation what stands behind the first `=`, or between a colon and the `@`.
    private static func withoutPassword(_ text: String) -> String {
        if let scheme = text.range(of: "://") {
            let rest = text[scheme.upperBound...].prefix { $0 != "?" }
            let place = rest.lastIndex(of: "@").map { "***" + rest[$0...] } ?? String(rest)
            return text[..<scheme.upperBound] + place
        }
        if let equals = text.firstIndex(of: "=") { return "\(text[...equals])***" }
        guard let at = text.lastIndex(of: "@"), let colon = text[..<at].firstIndex(of: ":") else { return text }
        return "\(text[...colon])***\(text[at...])"
    }

    private func value(of knob: Knob, in layers: ArraySlice<Layer>) throws(Complaint) -> (String, Origin)? {
        for layer in layers {
            let found: ConfigValue?
            do {
                found = try layer.provider.value(forKey: AbsoluteConfigKey([knob.name]), type: .string).value
            } catch {
                throw Complaint("\(knob.name) (from \(layer.origin(knob))) cannot be read: \(error)")
            }
            if case .string(let text) = found?.content { return (text, layer.origin(knob)) }
        }
        return nil
    }

    private static let fileVariable = "LATCHKEY_CONFIG"

    private static func isKnown(_ variable: String) -> Bool {
        Knob.all.contains { $0.variable == variable }
    }

    private static func suggestion(for variable: String) -> String {
        let name = variable.dropFirst("LATCHKEY_".count).lowercased().replacing("_", with: "-")
        return Knob.nearest(to: name).map { ": did you mean \($0.variable)?" } ?? ""
    }

    private static func provider(_ name: String, _ values: [String: String]) -> InMemoryProvider {
        InMemoryProvider(
            name: name,
            values: Dictionary(
                uniqueKeysWithValues: values.map {
                    (AbsoluteConfigKey([$0.key]), ConfigValue(.string($0.value), isSecret: true))
                }
            )
        )
    }
}
