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
        guard [check, sample, markdown].count(where: { $0 }) < 2 else {
            throw ValidationError("--check, --sample and --markdown are three things to ask for: name one")
        }
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
