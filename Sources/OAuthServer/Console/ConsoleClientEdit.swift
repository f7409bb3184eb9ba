import OAuth

/// The name and the policies of a connection, as a form shows and sends them.
///
/// A form says beside each field what it showed there, so that only what somebody changed in it is changed: what another
/// operator took away meanwhile stays away, and what no text says (that it may ask for no scope) stays too.
struct ClientEdit: Sendable {
    private enum Field: String, CaseIterable {
        case name, scopes, refresh
        case accessToken = "access_token"
        case lifetime = "access_token_lifetime"
        case consent

        var label: String {
            switch self {
            case .name: "Name"
            case .scopes: "Scopes"
            case .refresh: "Refresh tokens"
            case .accessToken: "Access tokens"
            case .lifetime: "Lifetime of access tokens, in seconds"
            case .consent: "Consent"
            }
        }

        /// What of a registration it changes.
        var member: RegistrationError.Member {
            switch self {
            case .name: .name
            case .scopes: .scopes
            case .refresh: .refresh
            case .accessToken: .accessToken
            case .lifetime: .accessTokenLifetime
            case .consent: .consent
            }
        }

        /// The hidden field with the mark of what this one showed.
        var markName: String { "was_" + rawValue }

        /// A text without what makes no difference.
        func normal(_ text: String) -> String {
            self == .scopes
                ? text.split(whereSeparator: \.isWhitespace).joined(separator: " ") : text.lines.first ?? ""
        }
    }

    /// What the way back makes of the scopes, where an empty text could mean either.
    private enum UnsaidScopes: String {
        /// It may ask for none.
        case nothing = "none"
        /// The profile's, or all that the settings name.
        case standard

        static let fieldName = "scopes_as"
    }

    /// What the fields hold; one that a form did not send is missing.
    private var values: [Field: String] = [:]
    /// The marks of what they showed; a form that was not made here has none, and is taken at its word.
    private var shown: [Field: String] = [:]
    private var unsaidScopes: UnsaidScopes?

    /// Shows a registration.
    ///
    /// - Parameters:
    ///   - registration: what is stored.
    ///   - known: the scopes that the settings name.
    init(_ registration: ClientRegistration, scopes known: [String]) {
        values = Self.texts(of: registration, known)
        shown = values.mapValues { $0.formMark }
    }

    /// Takes in what was sent.
    init(_ form: Form) {
        for field in Field.allCases where form.names(field.rawValue) {
            values[field] = form[field.rawValue] ?? ""
            shown[field] = form[field.markName]
        }
        unsaidScopes = form[UnsaidScopes.fieldName].flatMap { UnsaidScopes(rawValue: $0) }
    }

    /// What was sent, with what was not sent from a registration.
    func filled(from newest: ClientEdit) -> ClientEdit {
        var edit = newest
        for (field, value) in values {
            edit.values[field] = value
            edit.shown[field] = shown[field]
        }
        return edit
    }

    /// The hidden fields that say what is shown.
    var marks: [(String, String)] {
        Field.allCases.compactMap { field in shown[field].map { (field.markName, $0) } }
    }

    /// What the fields show of a registration.
    private static func texts(of registration: ClientRegistration, _ known: [String]) -> [Field: String] {
        // Without a profile nobody else says the scopes: the field shows them, so that it can be emptied.
        let scopes = registration.scopes ?? (registration.partner == nil ? known : [])
        let texts: [Field: String] = [
            .name: registration.name,
            .scopes: scopes.joined(separator: " "),
            .refresh: registration.refresh ?? "",
            .accessToken: registration.accessToken ?? "",
            .lifetime: registration.accessTokenLifetime.map { "\($0)" } ?? "",
            .consent: registration.consent ?? "",
        ]
        var normal: [Field: String] = [:]
        for (field, text) in texts { normal[field] = field.normal(text) }
        return normal
    }

    // MARK: Changing

    /// The fields that somebody changed in the form, and that are not yet as they are wanted.
    private func changed(from now: [Field: String]) -> [Field] {
        Field.allCases.filter { field in
            guard let wanted = values[field].map(field.normal) else { return false }
            if field == .scopes, unsaidScopes != nil { return true }
            return wanted != now[field] && wanted.formMark != shown[field]
        }
    }

    /// Why nothing is changed: somebody else changed fields of the form since it showed them.
    ///
    /// - Parameters:
    ///   - registration: what is stored now.
    ///   - known: the scopes that the settings name.
    /// - Returns: nil when nobody did.
    func overtaken(by registration: ClientRegistration, scopes known: [String]) -> RegistrationError? {
        let now = Self.texts(of: registration, known)
        let fields = changed(from: now).filter { field in
            guard let mark = shown[field] else { return false }
            return mark != now[field]?.formMark
        }
        guard let first = fields.first else { return nil }
        return RegistrationError(
            "this was changed meanwhile by somebody else: \(fields.map(\.label).joined(separator: ", ")). "
                + "Nothing was saved. The form shows how it is now: change it again if you still want to",
            about: first.member
        )
    }

    /// The name of the field that an error is about; nil when the form has none for it.
    static func fieldName(of error: RegistrationError) -> String? {
        Field.allCases.first { $0.member == error.member }?.rawValue
    }

    /// Changes what was changed in the form, and nothing else.
    ///
    /// - Parameters:
    ///   - registration: what is stored now.
    ///   - known: the scopes that the settings name.
    /// - Throws: `RegistrationError` for a lifetime that is no number, and for scopes that are none.
    func apply(to registration: inout ClientRegistration, scopes known: [String]) throws(RegistrationError) {
        for field in changed(from: Self.texts(of: registration, known)) {
            let text = field.normal(values[field] ?? "")
            let said: String? = text.isEmpty ? nil : text
            switch field {
            case .name: registration.name = text
            case .scopes: registration.scopes = try scopes(text, hasProfile: registration.partner != nil)
            case .refresh: registration.refresh = said
            case .accessToken: registration.accessToken = said
            case .lifetime: registration.accessTokenLifetime = try Self.seconds(said)
            case .consent: registration.consent = said
            }
        }
    }

    /// An emptied field follows the profile; where there is none, it means none.
    private func scopes(_ text: String, hasProfile: Bool) throws(RegistrationError) -> [String]? {
        switch unsaidScopes {
        case .nothing: return []
        case .standard: return nil
        case nil:
            guard !text.isEmpty || !hasProfile else { return nil }
            return try Scope(registering: text.spaceSeparated).names
        }
    }

    private static func seconds(_ text: String?) throws(RegistrationError) -> Int64? {
        guard let text else { return nil }
        guard let seconds = Int64(text) else {
            throw RegistrationError(
                "an access token's lifetime must be a whole number of seconds",
                about: .accessTokenLifetime
            )
        }
        return seconds
    }

    /// The hidden fields that undo a change: of the fields that it changed only, and only while they are as it left them.
    ///
    /// - Parameters:
    ///   - after: what the change made.
    ///   - before: what it found.
    ///   - known: the scopes that the settings name.
    /// - Returns: nothing when nothing was changed.
    static func wayBack(
        from after: ClientRegistration,
        to before: ClientRegistration,
        scopes known: [String]
    ) -> [(String, String)] {
        let (old, new) = (texts(of: before, known), texts(of: after, known))
        var way: [(String, String)] = []
        for field in Field.allCases where old[field] != new[field] {
            let text = field == .scopes && before.scopes == nil ? "" : old[field] ?? ""
            way += [(field.rawValue, text), (field.markName, (new[field] ?? "").formMark)]
        }
        if old[.scopes] != new[.scopes], before.scopes?.isEmpty != false {
            let unsaid: UnsaidScopes = before.scopes == nil ? .standard : .nothing
            way.append((UnsaidScopes.fieldName, unsaid.rawValue))
        }
        return way
    }

    // MARK: Fields

    /// The fields of the form.
    ///
    /// - Parameters:
    ///   - client: what the registration makes; nil when it cannot be used.
    ///   - hasProfile: whether a profile says what the fields leave out.
    /// - Returns: the fields, in order: of a resource server only its name, and of a public client no consent, for its people are
    ///   asked every time.
    func fields(of client: Client?, hasProfile: Bool) -> [ConsoleField] {
        var name = field(.name, hint: "What people read when it asks for access.")
        name.maximumLength = 100
        guard client?.grants.isEmpty != true else { return [name] }
        var scopes = field(
            .scopes,
            hint: "What it may ask for, with spaces between. "
                + (hasProfile ? "Empty follows the profile." : "Empty: it may ask for no scope.")
        )
        scopes.maximumLength = 2_000
        var lifetime = field(.lifetime, hint: "60 to 86400. Empty follows the profile.")
        (scopes.isRequired, lifetime.isRequired) = (false, false)
        let consent = choice(
            .consent,
            ConsentRule.allCases.map { ($0.rawValue, $0 == .always ? "asked every time" : "remembered") }
        )
        let fields = [
            name, scopes,
            choice(.refresh, RefreshPolicy.allCases.map { ($0.rawValue, Self.words($0)) }),
            choice(
                .accessToken,
                AccessTokenFormat.allCases.map {
                    ($0.rawValue, $0 == .jwt ? "jwt: checked without asking" : "opaque: checked by asking")
                }
            ),
            lifetime,
        ]
        return client?.isPublic == true ? fields : fields + [consent]
    }

    private static func words(_ policy: RefreshPolicy) -> String {
        switch policy {
        case .stable: "stable: the value never changes"
        case .successor: "successor: each has one successor"
        case .strict: "strict: each works once"
        }
    }

    private func field(_ field: Field, hint: String) -> ConsoleField {
        ConsoleField(field.rawValue, field.label, value: values[field] ?? "", hint: hint)
    }

    private func choice(_ field: Field, _ choices: [(String, String)]) -> ConsoleField {
        ConsoleField(
            field.rawValue,
            field.label,
            .choice([(value: "", label: "as the profile says")] + choices.map { (value: $0.0, label: $0.1) }),
            value: values[field] ?? ""
        )
    }
}
