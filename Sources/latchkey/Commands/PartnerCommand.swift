import ArgumentParser
import OAuth

/// `latchkey partner …`: the partner profiles that clients can be made from.
struct PartnerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "partner",
        abstract: "See the partner profiles: the rules of each partner's own document.",
        subcommands: [List.self, Show.self]
    )
}

extension PartnerCommand {
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List the partner profiles.")

        @OptionGroup var folder: ProfileFolder
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let profiles = try folder.profiles().all
            guard !output.json else {
                return try JSONValue.list(
                    profiles.map { .object(["id": .text($0.id), "name": .text($0.name)]) }
                ).print()
            }
            var table = Table("PROFILE", "NAME", "YOU SAY", "LOOSENED", "UNMET")
            for profile in profiles {
                table.add(
                    profile.id,
                    profile.name,
                    profile.asked.isEmpty ? "–" : profile.asked.joined(separator: ", "),
                    String(profile.loosened.count),
                    String(profile.unmet.count)
                )
            }
            table.print(otherwise: "")
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract: "Show one profile: its rules, their sources, what is loosened, what is unmet."
        )

        @OptionGroup var folder: ProfileFolder
        @OptionGroup var output: OutputOptions
        @Argument(help: "The profile's id; 'latchkey partner list' has them all.") var id: String

        func run() async throws {
            let profiles = try folder.profiles()
            guard let profile = profiles[id] else { throw Complaint(profiles.lack(of: id)) }
            guard !output.json else { return try profile.json.print() }
            profile.print()
        }
    }
}

/// Where profiles come from beside those in the program.
struct ProfileFolder: ParsableArguments {
    @OptionGroup var ledger: LedgerOptions

    @Option(help: "A folder of more partner profiles.")
    var partners: String?

    /// Every profile that there is.
    func profiles() throws -> PartnerProfiles {
        try ledger.deployment(["partners": partners]).profiles()
    }
}

extension PartnerProfiles {
    /// Says that no profile has an id: which ones there are, and which was probably meant.
    func lack(of id: String) -> String {
        "there is no partner profile '\(id)'; there are \(ids.joined(separator: ", ")), "
            + "and the setting partners (LATCHKEY_PARTNERS) names a folder with more"
            + (id.nearest(of: ids).map { "; did you mean '\($0)'?" } ?? "")
    }
}

extension PartnerProfile {
    /// What only the operator knows: the options of `client create` that this profile cannot do without.
    fileprivate var asked: [String] {
        if rules.redirectURIs.isEmpty && rules.redirectHosts.isEmpty { return ["--redirect-uri"] }
        return valueNames.map { "--profile-value \($0)=…" }
    }

    /// The names in its redirect URIs, for which the operator says a value; each once.
    var valueNames: [String] {
        var names: [String] = []
        for name in rules.redirectURIs.flatMap(\.names) where !names.contains(name) { names.append(name) }
        return names
    }

    fileprivate var json: JSONValue {
        .object([
            "id": .text(id),
            "name": .text(name),
            "file": .text(file),
            "sources": .object(sources.mapValues { .text($0) }),
            "rules": JSONValue(document),
            "loosened": .list(loosened.map { .object(["rule": .text($0.rule), "why": .text($0.why)]) }),
            "unmet": .list(unmet.map { .object(["need": .text($0.need), "why": .text($0.why)]) }),
        ])
    }

    fileprivate func print() {
        Swift.print(Ink.output.bold("\(name) (\(id))".plain))
        var rules = Card()
        if case .members(let members) = document {
            for (key, value) in members { rules.add(key, value.lines) }
        }
        section("Rules", rules)
        var texts = Card()
        for (mark, text) in sources.sorted(by: { $0.key < $1.key }) { texts.add(mark, text) }
        section("Sources", texts)
        var reasons = Card()
        for entry in loosened { reasons.add(entry.rule, entry.why) }
        if !loosened.isEmpty { section("Looser than the default", reasons) }
        var needs = Card()
        for entry in unmet { needs.add(entry.need, entry.why) }
        if !unmet.isEmpty { section("Asked for by the partner, and not done here", needs) }
    }

    private func section(_ heading: String, _ card: Card) {
        Swift.print("\n" + Ink.output.bold(heading))
        card.print()
    }
}

extension ProfileValue {
    /// One line for each element of a list or a mapping.
    fileprivate var lines: [String] {
        switch self {
        case .list(let values): values.map(\.line)
        case .members(let members): members.map { "\($0.key): \($0.value.line)" }
        default: [line]
        }
    }
}

extension JSONValue {
    /// A rule of a profile.
    fileprivate init(_ value: ProfileValue) {
        self =
            switch value {
            case .text(let text): .text(text)
            case .number(let number): .decimal(number)
            case .flag(let flag): .flag(flag)
            case .list(let values): .list(values.map { JSONValue($0) })
            case .members(let members):
                .object(Dictionary(members.map { ($0.key, JSONValue($0.value)) }) { first, _ in first })
            }
    }
}
