/// One thing that an operator may set: its name, what is expected, where it goes, and what it means.
struct Knob: Sendable {
    /// The chapter of docs/configuration.md in which it stands.
    enum Chapter: String, CaseIterable, Sendable {
        case server = "Server"
        case database = "Database"
        case tokens = "Tokens and keys"
        case partners = "Partners and scopes"
        case pages = "Pages"
        case accounts = "Accounts"
        case limits = "Sessions and limits"
        case webhooks = "Webhooks"
        case seeing = "Logs and metrics"
        case development = "Development"
    }

    /// Its key in `latchkey.yaml`.
    let name: String
    let chapter: Chapter
    /// What to write, as the end of the sentence "it must be …".
    let expected: String
    /// What to write instead of a text that cannot be read, where that can be told.
    let remedy: @Sendable (String) -> String?
    /// What holds when nobody sets it.
    let standard: String
    let example: String
    let meaning: String
    /// Whether its value is never shown.
    let isSecret: Bool
    /// Takes a value in; false when it is not what is expected.
    let take: @Sendable (String, inout Deployment) -> Bool
    /// The value as it may be shown; nil when nobody set it.
    let shown: @Sendable (Deployment) -> String?

    /// Its name in the environment.
    var variable: String { Self.variable(name) }

    static func variable(_ name: String) -> String {
        "LATCHKEY_" + name.uppercased().replacing("-", with: "_")
    }

    /// A setting that always has a value.
    init<Value>(
        _ name: String,
        _ chapter: Chapter,
        _ path: any WritableKeyPath<Deployment, Value> & Sendable,
        _ notation: Notation<Value>,
        standard: String? = nil,
        example: String,
        _ meaning: String
    ) {
        self.name = name
        self.chapter = chapter
        self.example = example
        self.meaning = meaning
        expected = notation.expected
        remedy = notation.remedy
        self.standard = standard ?? notation.show(Deployment()[keyPath: path])
        isSecret = false
        take = { text, deployment in
            guard let value = notation.read(text) else { return false }
            deployment[keyPath: path] = value
            return true
        }
        shown = { notation.show($0[keyPath: path]) }
    }

    /// A setting that may be left open; `standard` says what holds then.
    init<Value>(
        _ name: String,
        _ chapter: Chapter,
        _ path: any WritableKeyPath<Deployment, Value?> & Sendable,
        _ notation: Notation<Value>,
        isSecret: Bool = false,
        standard: String = "",
        example: String,
        _ meaning: String
    ) {
        self.name = name
        self.chapter = chapter
        self.example = example
        self.meaning = meaning
        self.standard = standard
        self.isSecret = isSecret
        expected = notation.expected
        remedy = notation.remedy
        take = { text, deployment in
            guard let value = notation.read(text) else { return false }
            deployment[keyPath: path] = value
            return true
        }
        shown = { $0[keyPath: path].map { isSecret ? "***" : notation.show($0) } }
    }
}
