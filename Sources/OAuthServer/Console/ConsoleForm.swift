import OAuth

/// A form that changes something: it posts its fields and the session's token.
struct ConsoleForm: Sendable {
    /// How its button looks.
    enum Style: String, Sendable {
        case plain, main, danger
    }

    /// Where it posts to, below `/console`.
    let action: String
    let button: String
    var style = Style.plain
    var fields: [ConsoleField] = []
    var hidden: [(name: String, value: String)] = []
    /// Where Cancel leads, below `/console`.
    var cancel: String?
    /// What went wrong with the last try.
    var problem: String?
    /// The name of the field that it is about, where that is known.
    var wrongField: String?

    init(_ action: String, button: String, style: Style = .plain, hidden: [(String, String)] = []) {
        self.action = action
        self.button = button
        self.style = style
        self.hidden = hidden.map { (name: $0.0, value: $0.1) }
    }

    func values(_ base: String) -> PageValues {
        var values = PageValues()
        values.set("formAction", base + action)
        values.set("formButton", button.shown(limit: 100))
        values.set("formMain", style == .main)
        values.set("formDanger", style == .danger)
        let told = problem == nil ? nil : fields.first { $0.name == wrongField } ?? fields.first { !$0.isUnseen }
        values.set(
            "fields",
            fields.map { field in
                let isTold = field.name == told?.name
                return field.values(isWrong: isTold && field.name == wrongField, hasProblem: isTold)
            }
        )
        values.set("hiddenFields", hidden.map { Self.hidden($0.name, $0.value) })
        values.set("hasCancel", cancel != nil)
        values.set("cancelPath", cancel.map { base + $0 })
        values.set("hasProblem", problem != nil)
        values.set("formProblem", problem?.shown(limit: 500))
        return values
    }

    static func hidden(_ name: String, _ value: String) -> PageValues {
        var values = PageValues()
        values.set("hiddenName", name)
        values.set("hiddenValue", value)
        values.set("hiddenEmpty", value.isEmpty)
        return values
    }
}

/// A field of a form, with its label.
struct ConsoleField: Sendable {
    /// What is put in.
    enum Kind: Sendable {
        case text
        /// What the operator is called.
        case ownName
        /// An address, in any script: `type="email"` would refuse some, and turn others into Punycode.
        case email
        /// Whose password the form asks for: read by password managers alone.
        case username
        /// A password that the browser knows, or one that it may make up.
        case password(isNew: Bool)
        /// Several lines.
        case lines
        /// One of several.
        case choice([(value: String, label: String)])
        /// Yes or no.
        case check
    }

    let name: String
    let label: String
    let kind: Kind
    var value: String
    /// A sentence below the label.
    var hint: String?
    var isRequired = true
    var maximumLength = 200

    init(_ name: String, _ label: String, _ kind: Kind = .text, value: String = "", hint: String? = nil) {
        self.name = name
        self.label = label
        self.kind = kind
        self.value = value
        self.hint = hint
    }

    /// Whether people do not see it.
    var isUnseen: Bool { if case .username = kind { true } else { false } }

    /// The field's members, each of them set: a template looks in the enclosing groups for what it does not find.
    ///
    /// - Parameters:
    ///   - isWrong: whether the form's problem is about this field.
    ///   - hasProblem: whether the form's problem is read out with this field.
    /// - Returns: what the template names.
    func values(isWrong: Bool, hasProblem: Bool) -> PageValues {
        var values = PageValues()
        let describedBy: [String] = (hint == nil ? [] : ["\(name)-hint"]) + (hasProblem ? ["problem"] : [])
        values.set("isWrong", isWrong)
        values.set("isDescribed", !describedBy.isEmpty)
        values.set("describedBy", describedBy.joined(separator: " "))
        values.set("fieldName", name)
        values.set("fieldLabel", label)
        values.set("hasHint", hint != nil)
        values.set("fieldHint", hint)
        values.set("fieldRequired", isRequired)
        values.set("fieldLimit", String(maximumLength))
        values.set("fieldEmpty", value.isEmpty)
        values.set("isLines", false)
        values.set("isChoice", false)
        values.set("isCheck", false)
        values.set("isInput", false)
        values.set("isChecked", false)
        values.set("isEmail", false)
        values.set("isUsername", false)
        switch kind {
        case .text: input("text", "off", &values)
        case .ownName: input("text", "name", &values)
        case .email:
            values.set("isEmail", true)
            input("text", "username", &values)
        case .username:
            values.set("isUsername", true)
            values.set("fieldValue", value)
        case .password(let isNew): input("password", isNew ? "new-password" : "current-password", &values)
        case .lines:
            values.set("isLines", true)
            values.set("fieldValue", value)
        case .choice(let choices):
            values.set("isChoice", true)
            values.set(
                "choices",
                choices.map { choice in
                    var values = PageValues()
                    values.set("choiceValue", choice.value)
                    values.set("choiceLabel", choice.label)
                    values.set("isChosen", choice.value == value)
                    return values
                }
            )
        case .check:
            values.set("isCheck", true)
            values.set("isChecked", !value.isEmpty)
        }
        return values
    }

    private func input(_ type: String, _ autocomplete: String, _ values: inout PageValues) {
        values.set("isInput", true)
        values.set("inputType", type)
        values.set("autocomplete", autocomplete)
        if type != "password" { values.set("fieldValue", value) }
    }
}

extension String {
    /// A short mark by which a form says what it showed, however long that was: what undoes a change must fit into a cookie.
    var formMark: String { Base64URL.encode(Array(SecretDigest(of: self).bytes.prefix(12))) }
}
