/// The console's doors, before anybody is signed in: sign-in, invitation, first run.
struct ConsoleGatePage: Page {
    let heading: String
    var lead: String?
    var commands: [String] = []
    /// What is asked; nil when there is nothing to fill in.
    var form: ConsoleForm?
    /// The token that the form carries.
    var token = ""

    var template: PageTemplate { .consoleGate }

    func title(_ words: Words) -> String {
        (form?.problem == nil ? "" : "Problem: ") + "\(heading.shown(limit: 100)) · Console"
    }

    func values(_ setting: PageSetting) -> PageValues {
        let base = setting.basePath + Paths.console
        var values = PageValues()
        values.set("heading", heading.shown(limit: 100))
        values.set("lead", lead?.shown(limit: 500))
        values.set(
            "commands",
            commands.map { command in
                var values = PageValues()
                values.set("commandText", command)
                return values
            }
        )
        values.set("token", token)
        values.set("form", form?.values(base))
        return values
    }
}
