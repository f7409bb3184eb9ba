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
               `/etc/latchkey/latchkey.yaml`: one `name: value` per line. Relative paths start at the working directory. An IPv6
               address, and what begins with `#`, needs quotes there: `listen: "[::]:8080"`.

            `latchkey settings` shows every value and where it came from; `latchkey settings --check` says whether the server
            would start: it tries the files that the server needs, here and as this user, and asks no database, so that it
            sees neither a port that is taken nor that an existing SQLite database has lost its key;
            `latchkey settings --sample` prints a file with every setting in it, commented out. A wrong value, and
            in the file an unknown name, or one without a value that nothing else sets, stops the start with one line that names the setting, the value and the fix. An unknown `LATCHKEY_` variable is ignored with a warning.

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
