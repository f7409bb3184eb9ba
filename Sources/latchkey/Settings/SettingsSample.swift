/// A `latchkey.yaml` with every setting in it, commented out, except for those that were said.
///
/// It is made of the table of settings, so that it names no setting that the program does not have.
struct SettingsSample {
    /// The settings that stand in it as they are.
    let deployment: Deployment

    private static let width = 110

    var text: String {
        var text = """
            # Latchkey's settings, one `name: value` per line. A line that is commented out shows how to write a setting; until
            # you change it, the default holds. What the environment says (LATCHKEY_ISSUER, …) comes before this file.
            #
            # `latchkey settings` shows what holds and where it came from, `latchkey settings --check` whether the server would
            # start. A server reads this file when it starts. A duration is a number of seconds, or a number with a unit: 500ms,
            # 90s, 15m, 12h, 7d.

            """
        for chapter in Knob.Chapter.allCases {
            text += "\n\n## \(chapter.rawValue)\n"
            for knob in Knob.all where knob.chapter == chapter {
                text += "\n" + Self.comment(knob.meaning)
                let expected = knob.expected.replacing(durationUnits, with: "")
                text += Self.comment("It must be \(expected). Default: \(knob.standard).")
                text += line(knob) + "\n"
            }
        }
        return text
    }

    /// The setting itself: what was said, or its example behind a `#`.
    private func line(_ knob: Knob) -> String {
        if case .flag = deployment.origins[knob.name], !knob.isSecret, let value = knob.shown(deployment) {
            return "\(knob.name): \(Self.quoted(value))"
        }
        // An example in words tells where to get a value.
        return knob.example.contains("`") ? "#\(knob.name):    # \(knob.example)" : "#\(knob.name): \(knob.example)"
    }

    /// A value as YAML reads it back: an IPv6 address in brackets, and what has a `#` in it, need quotes.
    private static func quoted(_ value: String) -> String {
        let isPlain = value.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "-")...UInt8(ascii: ":"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
        return isPlain ? value : "'" + value.replacing("'", with: "''") + "'"
    }

    /// Text as comment lines, broken between words.
    private static func comment(_ text: String) -> String {
        var lines = ["#"]
        for word in text.split(separator: " ") {
            if lines[lines.count - 1].count + 1 + word.count > width { lines.append("#") }
            lines[lines.count - 1] += " " + word
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
