/// What of a refused request may be kept and shown: no secret, code, token or password, and nothing that may hold one.
public enum Redaction {
    /// The parameters whose values are not secret by what they are for; of all others only kind and length are shown.
    private static let shownParameters: Set<String> = [
        "response_type", "response_mode", "client_id", "redirect_uri", "scope", "grant_type", "code_challenge_method",
        "prompt", "max_age", "resource", "audience", "token_type_hint", "display", "ui_locales",
    ]

    /// The other parameters that partners send; a name that is in neither list may itself be a secret.
    private static let namedParameters: Set<String> = [
        "state", "nonce", "code", "code_verifier", "code_challenge", "client_secret", "refresh_token", "token",
        "login_hint", "request", "request_uri", "client_assertion", "client_assertion_type", "username", "password",
    ]

    /// The longest text that is kept.
    public static let lengthLimit = 500

    /// What came in a parameter.
    ///
    /// - Parameters:
    ///   - parameter: its name; nil when the refusal is about none.
    ///   - form: the request's parameters.
    /// - Returns: a text without secrets, for the operator; nil when there is no parameter to speak of.
    public static func shown(_ parameter: String?, of form: Form) -> String? {
        guard let parameter else { return nil }
        let values = form.pairs.filter { $0.name == parameter }.map(\.value)
        guard !values.isEmpty else {
            let names = named(form)
            return names.isEmpty ? "nothing" : "nothing; the request has \(names)"
        }
        return cut(
            values.prefix(3).map { shownParameters.contains(parameter) ? masked($0) : described($0) }
                .joined(separator: ", and ")
        )
    }

    /// A text in which whatever looks like a token or a secret of ours is replaced by its kind.
    public static func masked(_ text: String) -> String {
        let words = text.split(omittingEmptySubsequences: false) { !isTokenCharacter($0) }
        guard words.contains(where: { kind($0) != nil }) else { return cut(text) }
        var masked = ""
        var rest = text[...]
        for word in words {
            masked += kind(word).map { "(\($0))" } ?? String(word)
            rest = text[word.endIndex...]
            if let separator = rest.first { masked.append(separator) }
        }
        return cut(masked)
    }

    /// A value that must not be shown: what it seems to be, and how long it is.
    private static func described(_ value: String) -> String {
        guard !value.isEmpty else { return "an empty value" }
        let length = "\(value.count) character\(value.count == 1 ? "" : "s")"
        return kind(value[...]).map { "\($0), \(length)" } ?? length
    }

    /// The names of a request's parameters, as far as they are names that partners send.
    private static func named(_ form: Form) -> String {
        let names = form.pairs.map(\.name)
        let known = names.filter { shownParameters.contains($0) || namedParameters.contains($0) }
        let others = names.count - known.count
        return (known.prefix(20) + (others > 0 ? ["\(others) other\(others == 1 ? "" : "s")"] : []))
            .joined(separator: ", ")
    }

    /// What a text is by how such texts begin, if it is or holds one of ours or a JWT.
    private static func kind(_ text: Substring) -> String? {
        for (prefix, kind) in prefixes where text.count >= 20 && text.contains(prefix) { return kind }
        return nil
    }

    private static let prefixes = [
        (RefreshToken.prefix, "a refresh token"), (OpaqueAccessToken.prefix, "an opaque access token"),
        ("lkc_", "a code"),
        ("lks_", "a client secret"), (APIKeyText.prefix, "an API key"), ("lko_", "an invitation"),
        ("whsec_", "a webhook secret"), ("eyJ", "a JWT"),
    ]

    private static func isTokenCharacter(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || character.isNumber || "-_.".contains(character))
    }

    /// What fits, without control characters: no database, terminal or log line is disturbed by what came.
    private static func cut(_ text: String) -> String {
        let plain = text.unicodeScalars.prefix(lengthLimit).map { scalar -> Unicode.Scalar in
            scalar.properties.generalCategory == .control ? "\u{FFFD}" : scalar
        }
        return String(String.UnicodeScalarView(plain)) + (text.unicodeScalars.count > lengthLimit ? "…" : "")
    }
}
