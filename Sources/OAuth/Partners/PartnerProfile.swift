import Yams

/// A partner's rules as data: what its own document demands of a client, with the source of each rule.
///
/// Profiles are YAML files, embedded in the program or given by `--partners DIR`; `docs/partner-profiles.md` explains
/// every key. A rule that is left out follows the secure default; a rule that is looser than the default must say why in
/// `loosened`.
///
/// It is a class because every request at its paths is passed along with it: a structure would be copied each time.
public final class PartnerProfile: Sendable {
    /// The id by which operators name it: `latchkey client create --partner ID`.
    public let id: String
    /// The partner's own name.
    public let name: String
    /// The partner's texts behind the rules: a short mark, and title, place and date.
    public let sources: [String: String]
    /// What a client made from this profile is like.
    public let rules: Rules
    /// The same rules as the file has them, to be shown.
    public let document: ProfileValue
    /// The rules that are looser than the default, each with its reason.
    public let loosened: [Loosened]
    /// What the partner's document needs and this server does not do.
    public let unmet: [Unmet]
    /// The file it was read from, for errors.
    public let file: String

    /// A rule that is looser than the default.
    public struct Loosened: Sendable, Equatable {
        /// The rule's key.
        public let rule: String
        /// Why the partner's document needs it, and what protects instead.
        public let why: String
    }

    /// Something that the partner's document asks for in vain.
    public struct Unmet: Sendable, Equatable {
        /// What is missing, in a few words.
        public let need: String
        /// What that means for the partner, and why it is so.
        public let why: String
    }

    /// The scopes that the partner's document names, with their words; nil when it names none.
    public var scopeWords: [ScopeWords]? { rules.scopes }

    /// An authorization request at the profile's own path, with what its rules let stand in for what was left out.
    public func filledIn(_ form: Form) -> Form {
        guard rules.authorizationRequest.mayOmit.contains(.clientID), form.all("client_id").isEmpty,
            let client = rules.clientID
        else { return form }
        return Form(pairs: form.pairs.filter { $0.name != "client_id" } + [("client_id", client.text)])
    }

    /// Reads a profile.
    ///
    /// - Parameters:
    ///   - yaml: the file's text.
    ///   - file: its name, for the error.
    /// - Throws: `PartnerProfileError` that names the file, the line, the key and what is wrong.
    public convenience init(yaml: String, file: String) throws(PartnerProfileError) {
        do throws(ProfileFault) {
            try self.init(ProfileNode(try Self.compose(yaml)), file: file)
        } catch {
            throw PartnerProfileError(file: file, line: error.line, reason: error.reason)
        }
    }

    private init(_ top: ProfileNode, file: String) throws(ProfileFault) {
        let members = try top.members(["id", "name", "sources", "rules", "loosened", "unmet"])
        id = try members.required("id").value(Self.identifier)
        name = try members.required("name").text()
        var sources: [String: String] = [:]
        let texts = try members.required("sources")
        for (mark, text) in try texts.entries() { sources[mark] = try text.text() }
        guard !sources.isEmpty else { throw texts.fault("must name at least one of the partner's texts") }
        self.sources = sources
        let place = try members.required("rules")
        rules = try Rules(place)
        document = place.written
        loosened =
            try members.optional("loosened") { node throws(ProfileFault) in
                try node.list { entry throws(ProfileFault) -> Loosened in
                    let members = try entry.members(["rule", "why"])
                    let key = try members.required("rule")
                    let rule = try key.text()
                    guard Rules.keys.contains(rule) else {
                        let known = Rules.keys.joined(separator: ", ")
                        throw key.fault("'\(rule)' is no key of rules; known are \(known)")
                    }
                    return Loosened(rule: rule, why: try members.required("why").text())
                }
            } ?? []
        unmet =
            try members.optional("unmet") { node throws(ProfileFault) in
                try node.list { entry throws(ProfileFault) in
                    let members = try entry.members(["need", "why"])
                    return Unmet(need: try members.required("need").text(), why: try members.required("why").text())
                }
            } ?? []
        self.file = file
        try check(place)
    }

    /// The YAML text as nodes, which know their lines.
    private static func compose(_ yaml: String) throws(ProfileFault) -> Node {
        do {
            // Nobody asks what YAML takes a text for, so the regular expressions that tell it are left out.
            guard let node = try Yams.compose(yaml: yaml, .basic, .default, .utf8) else {
                throw ProfileFault(line: nil, reason: "is empty")
            }
            return node
        } catch let fault as ProfileFault {
            throw fault
        } catch let error as YamlError {
            switch error {
            case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
                .composer(_, let problem, let mark, _):
                let tab =
                    problem.contains("tab character") || problem.contains("cannot start any token")
                    ? "; YAML is indented by spaces, never by tabs" : ""
                throw ProfileFault(line: mark.line, reason: "is not YAML: \(problem)\(tab)")
            case .duplicatedKeysInMapping(let keys, let context):
                throw ProfileFault(line: context.mark.line, reason: "has a key twice: \(keys.joined(separator: ", "))")
            default:
                throw ProfileFault(line: nil, reason: "is not YAML")
            }
        } catch {
            throw ProfileFault(line: nil, reason: "is not YAML")
        }
    }

    private static func identifier(_ text: String) throws(RegistrationError) -> String {
        guard text.utf8.count <= 40, text.utf8.allSatisfy({ $0.isUnreserved }) else {
            throw RegistrationError("'\(text)' must be at most 40 of A-Z a-z 0-9 - . _ ~")
        }
        return text
    }

    /// A loosened rule must give its reason, and the rules must make a client together.
    private func check(_ place: ProfileNode) throws(ProfileFault) {
        for rule in rules.loose where !loosened.contains(where: { $0.rule == rule }) {
            // At the rule itself, where the file has it.
            let rule = try place.entries().first { $0.name == rule } ?? (name: rule, value: place)
            throw ProfileFault(line: rule.value.line, reason: "loosens \(rule.name) without a reason in 'loosened'")
        }
        var registration = ClientRegistration(id: rules.clientID?.text ?? "check", name: name, partner: id)
        // Where a profile names no redirect URI, the operator does.
        if rules.redirectURIs.isEmpty, rules.redirectHosts.isEmpty {
            registration.redirectURIs = ["https://client.example/callback"]
        }
        registration.profileValues = Dictionary(
            rules.redirectURIs.flatMap(\.names).map { ($0, "x") },
            uniquingKeysWith: { first, _ in first }
        )
        do throws(RegistrationError) {
            _ = try Client(registration, profile: self, scopes: [], secrets: [])
        } catch {
            throw place.fault(error.description)
        }
    }
}
