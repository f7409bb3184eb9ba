import ArgumentParser
import OAuthServer

/// `latchkey settings`: every setting, its value, and where it came from.
struct SettingsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "settings",
        abstract: "Show every setting, its value, and where it came from."
    )

    @OptionGroup var options: ServerOptions
    @OptionGroup var output: OutputOptions

    @Flag(help: "Only say whether the server would start with these settings.")
    var check = false

    @Flag(help: "Print a settings file with every setting in it, commented out; those that flags set are set there.")
    var sample = false

    @Flag(help: "Print docs/configuration.md.")
    var markdown = false

    func validate() throws {
        guard !output.json || !(sample || markdown) else {
            throw ValidationError("--json goes with neither --sample nor --markdown, which print files")
        }
    }

    func run() async throws {
        guard !markdown else { return print(SettingsPage.text, terminator: "") }
        let deployment = try options.deployment()
        guard !sample else { return print(SettingsSample(deployment: deployment).text, terminator: "") }
        guard !check else {
            let settings = try deployment.serverSettings()
            _ = try deployment.profiles()
            _ = try Pages(brand: settings.brand, basePath: settings.issuer.path, overrides: settings.templates)
            if case .postgres = deployment.database, deployment.secretKey == nil { throw Complaint.unsetSecretKey }
            try deployment.tryDatabaseURL()
            try deployment.tryFiles()
            guard !output.json else {
                return try JSONValue.object([
                    "good": .flag(true), "issuer": .text(settings.issuer.text),
                    "warnings": .texts(deployment.surprises),
                ]).print()
            }
            deployment.surprises.forEach(warn)
            return print("The settings are good: the issuer is \(settings.issuer.text).")
        }
        guard !output.json else {
            return try JSONValue.list(
                Knob.all.map { knob in
                    .object([
                        "name": .text(knob.name),
                        "value": .text(knob.shown(deployment)),
                        "source": .text(deployment.origins[knob.name]?.description ?? "default"),
                        "default": .text(knob.standard.isEmpty ? nil : knob.standard),
                    ])
                }
            ).print()
        }
        var table = Table("SETTING", "VALUE", "FROM")
        for knob in Knob.all {
            let origin = deployment.origins[knob.name]
            // A default that depends on other settings is told in words.
            let value = origin == nil ? knob.standard.replacing("`", with: "") : knob.shown(deployment) ?? ""
            table.add(knob.name, value.isEmpty ? "–" : value, origin?.description ?? "default")
        }
        table.print(otherwise: "")
    }
}

/// docs/configuration.md, made of the table of settings.
enum SettingsPage {
    static var text: String {
        var text = """
            # Configuration

            <!-- Written by `make docs` from the settings in the source. Do not edit it by hand. -->

            A setting comes from the first of these that has it:

            1. a flag: `--listen`, `--issuer`, `--database`, `--partners`, `--log-level`, `--log-format`,
               `--metrics-listen`, `--sample-api` and `--test-mode` of `latchkey serve`; every command but `demo` takes `--database`;
            2. the environment: `LATCHKEY_` and the name in upper case with `_` for `-`, such as `LATCHKEY_SECRET_KEY`. An
               empty variable counts as not set;
            3. the file that `--config` or `LATCHKEY_CONFIG` names, else `latchkey.yaml` in the working directory, else
               `/etc/latchkey/latchkey.yaml`: one `name: value` per line. Relative paths start at the working directory.

            `latchkey settings` shows every value and where it came from; `latchkey settings --check` says whether the server
            would start: it tries the files that the server needs, here and as this user, and asks no database, so that it
            sees neither a port that is taken nor that an existing SQLite database has lost its key;
            `latchkey settings --sample` prints a file with every setting in it, commented out. A wrong value, and
            an unknown name in the file, stops the start with one line that names the setting, the value and the fix. An unknown `LATCHKEY_` variable is ignored with a warning.

            A duration is a number of seconds, or a number with a unit: `500ms`, `90s`, `15m`, `12h`, `7d`.

            """
        for chapter in Knob.Chapter.allCases {
            text += "\n## \(chapter.rawValue)\n"
            for knob in Knob.all where knob.chapter == chapter {
                let isWords = knob.standard.contains(" ") || knob.standard == "none"
                let standard = isWords ? knob.standard : "`\(knob.standard)`"
                text += """

                    ### `\(knob.name)`

                    \(knob.meaning)

                    - In the environment: `\(knob.variable)`
                    - It must be \(knob.expected.replacing(durationUnits, with: "")).
                    - Default: \(standard)
                    - Example: \(knob.example.contains("`") ? knob.example : "`\(knob.name): \(knob.example)`")

                    """
            }
        }
        return text
    }
}
