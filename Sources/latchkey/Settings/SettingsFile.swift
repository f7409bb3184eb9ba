import Foundation
import Glibc
import OAuth
import Yams

/// `latchkey.yaml`: one key per setting, flat.
///
/// It is read with Yams and handed to swift-configuration as texts, because that library's own YAML provider refuses
/// lists of mappings, which scopes with their words are, and does not tell which keys a file has.
struct SettingsFile: Sendable {
    let path: String
    /// The values by key; the parts of a list with commas between them.
    let values: [String: String]
    /// The words of scopes, by the scope's name.
    let words: [String: ScopeWords]
    /// The keys behind which nothing stands, or nothing but what is a comment to YAML.
    let blanks: Set<String>

    /// The places that are looked at when nobody names a file.
    static let usualPaths = ["latchkey.yaml", "/etc/latchkey/latchkey.yaml"]

    /// Reads the file that somebody named, or the first of the usual ones that is there.
    ///
    /// - Parameters:
    ///   - named: the file; nil when nobody named one.
    ///   - isNeeded: whether a usual file that is there must be readable.
    /// - Returns: the file; nil when there is none.
    /// - Throws: a `Complaint` when it cannot be read.
    static func find(named: String?, isNeeded: Bool = true) throws(Complaint) -> SettingsFile? {
        if let named { return try SettingsFile(path: named) }
        let path = usualPaths.first { access($0, isNeeded ? F_OK : R_OK) == 0 }
        guard let path else { return nil }
        return try SettingsFile(path: path)
    }

    init(path: String) throws(Complaint) {
        guard let file = FileHandle(forReadingAtPath: path), let data = try? file.readToEnd() ?? Data() else {
            let remedy = "name one that exists with --config (LATCHKEY_CONFIG)"
            let reason = FileTrial.unreadable(path, missing: remedy)
            throw Complaint("the settings file \(path) cannot be read: \(reason)")
        }
        let text = try WrittenText.read(data, of: "the settings file \(path)")
        let root: Node?
        do {
            // As in partner profiles, nobody asks what YAML takes a text for.
            root = try Yams.compose(yaml: text, .basic, .default, .utf8)
        } catch {
            // To YAML the bracket of an address begins a list.
            let hasIPv6 = text.split { $0.isNewline }.contains { !$0.hasPrefix("#") && $0.contains("::") }
            let advice = hasIPv6 ? "; an IPv6 address needs quotes: listen: \"[::]:8080\"" : ""
            throw Complaint("the settings file \(path) is not correct YAML: \(Self.fault(error))\(advice)")
        }
        var values: [String: String] = [:]
        var words: [String: ScopeWords] = [:]
        var blanks: Set<String> = []
        if let root, root.scalar?.string != "" {
            guard let mapping = root.mapping else {
                throw Complaint("the settings file \(path) must hold lines of the form 'key: value'")
            }
            for (key, node) in mapping {
                let name = key.string ?? ""
                guard let knob = Knob.all.first(where: { $0.name == name }) else {
                    throw Complaint("\(path) has the unknown setting '\(name)'\(Knob.suggestion(for: name))")
                }
                if node.scalar != nil, Self.text(of: node) == nil {
                    blanks.insert(name)
                } else {
                    values[name] = try Self.text(of: node, knob: knob, path: path, words: &words)
                }
            }
        }
        self.path = path
        self.values = values
        self.words = words
        self.blanks = blanks
    }

    /// What is wrong with the YAML and where, without the lines themselves: they may hold secrets.
    private static func fault(_ error: any Error) -> String {
        switch error as? YamlError {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            return "line \(mark.line), column \(mark.column): \(context?.description ?? "")\(problem)"
        case .reader(let problem, let offset, _, let yaml):
            return "line \(yaml.prefix(offset ?? 0).count { $0.isNewline } + 1): \(problem)"
        case .duplicatedKeysInMapping(let names, _):
            return "it says \(names.sorted().joined(separator: " and ")) more than once"
        default:
            return "it cannot be read"
        }
    }

    private static func text(
        of node: Node,
        knob: Knob,
        path: String,
        words: inout [String: ScopeWords]
    ) throws(Complaint) -> String {
        if let text = text(of: node) { return text }
        var parts: [String] = []
        for item in node.sequence ?? [node] {
            if let text = text(of: item), !text.contains(",") {
                parts.append(text)
            } else if knob.name == "scopes", let scope = scope(item) {
                parts.append(scope.name)
                words[scope.name] = scope
            } else {
                throw Complaint(
                    "\(knob.name) in \(path) must be \(knob.expected); for example: \(knob.name): \(knob.example)"
                )
            }
        }
        return parts.joined(separator: ",")
    }

    /// A value that somebody wrote; nil where there is none.
    private static func text(of node: Node) -> String? {
        guard let text = node.scalar?.string, !text.isEmpty, node.null == nil else { return nil }
        return text
    }

    /// A scope with its words: `{name: …, en: …, de: …}`.
    private static func scope(_ node: Node) -> ScopeWords? {
        var texts: [String: String] = [:]
        for (key, value) in node.mapping ?? [:] {
            guard let key = key.string, let text = text(of: value) else { return nil }
            texts[key] = text
        }
        guard let name = texts.removeValue(forKey: "name"), !name.contains(",") else { return nil }
        return ScopeWords(name: name, words: texts)
    }
}

extension Knob {
    /// `: did you mean 'issuer'?`, or where to find all names.
    fileprivate static func suggestion(for name: String) -> String {
        nearest(to: name).map { ": did you mean '\($0.name)'?" } ?? ": 'latchkey settings' lists those that there are"
    }

    /// The setting that somebody who wrote `name` has probably meant.
    static func nearest(to name: String) -> Knob? {
        name.nearest(of: all.map(\.name)).flatMap { nearest in all.first { $0.name == nearest } }
    }
}
