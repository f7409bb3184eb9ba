/// What of a refused request may be kept and shown: no secret, code, token or password, and nothing that may hold one.
public enum Redaction {
    /// The parameters whose values are not secret by what they are for; of all others only kind and length are shown.
    private static let shownParameters = words.union(addresses).union(names)

    /// Those whose values are short words of the protocol: a long one is something else that has been put in the wrong place.
    private static let words: Set<String> = [
        "response_type", "response_mode", "grant_type", "code_challenge_method", "prompt", "max_age",
        "token_type_hint", "display", "ui_locales",
    ]

    /// Those whose values are addresses, which may hold credentials besides.
    private static let addresses: Set<String> = ["redirect_uri", "resource", "audience"]

    /// Those whose values are names that somebody chose, which may be long.
    private static let names: Set<String> = ["client_id", "scope"]

    /// The longest word that is shown where one may be a secret; the protocol's own are shorter.
    private static let wordLimit = 24

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
    ///   - isKnown: whether a text is the name of a client or of a scope, and so no secret.
    /// - Returns: a text without secrets, for the operator; nil when there is no parameter to speak of.
    public static func shown(
        _ parameter: String?,
        of form: Form,
        isKnown: (String) -> Bool = { _ in false }
    ) -> String? {
        guard let parameter else { return nil }
        let values = form.pairs.filter { $0.name == parameter }.map(\.value)
        guard !values.isEmpty else {
            let names = named(form)
            return names.isEmpty ? "nothing" : "nothing; the request has \(names)"
        }
        return cut(values.prefix(3).map { shown($0, as: parameter, isKnown) }.joined(separator: ", and "))
    }

    private static func shown(_ value: String, as parameter: String, _ isKnown: (String) -> Bool) -> String {
        guard !value.isEmpty else { return "an empty value" }
        if addresses.contains(parameter) { return masked(bare(value)) }
        if words.contains(parameter) { return masked(protocolWords(value)) }
        return names.contains(parameter) ? masked(chosenNames(value, isKnown)) : described(value)
    }

    /// An address without what may be a secret in it: user information, long values of its query, and its fragment.
    private static func bare(_ address: String) -> String {
        let (rest, fragment) = parted(address[...], at: "#")
        let (place, query) = parted(rest, at: "?")
        guard let start = place.firstRange(of: "://")?.upperBound else { return brief(address[...]) }
        var bare = String(place)
        let authority = place[start...].prefix { $0 != "/" }
        // A colon leads to a port or to a password, which may hold a slash that should have been encoded.
        let hasPassword = authority.split(separator: ":").dropFirst().contains { !$0.allSatisfy(\.isNumber) }
        if let end = (hasPassword ? place : authority).lastIndex(of: "@") {
            bare = place[..<start] + "(user information)" + place[end...]
        }
        if let query {
            // A value ends at nothing but the next parameter: a secret may hold any other character.
            let pairs = query.split(separator: "&", omittingEmptySubsequences: false)
            let shown = pairs.map {
                $0.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(brief)
            }
            bare += "?" + shown.map { $0.joined(separator: "=") }.joined(separator: "&")
        }
        if let fragment { bare += "#(\(length(of: fragment)))" }
        return bare
    }

    private static func parted(_ text: Substring, at mark: Character) -> (Substring, Substring?) {
        guard let index = text.firstIndex(of: mark) else { return (text, nil) }
        return (text[..<index], text[text.index(after: index)...])
    }

    /// What is short, or else its length.
    private static func brief(_ text: Substring) -> String {
        text.count > wordLimit ? "(\(kind(text) ?? length(of: text)))" : String(text)
    }

    /// Words with spaces between them, or a URN of such words.
    private static func protocolWords(_ text: String) -> String {
        let separator: Character = text.hasPrefix("urn:") ? ":" : " "
        let words = text.split(separator: separator, omittingEmptySubsequences: false)
        return words.map(brief).joined(separator: String(separator))
    }

    /// Names with spaces between them: those that are known, short, plain words or addresses, and of others the length.
    private static func chosenNames(_ text: String, _ isKnown: (String) -> Bool) -> String {
        text.split(separator: " ", omittingEmptySubsequences: false)
            .map { name in
                let isShown = isPlainWords(name) || name.count > wordLimit && isKnown(String(name))
                return isShown ? String(name) : bare(String(name))
            }
            .joined(separator: " ")
    }

    /// Whether a name is made of words in small letters, capitals at their beginning at most: what is random is not.
    private static func isPlainWords(_ name: Substring) -> Bool {
        name.split { ".:/_-".contains($0) }.allSatisfy { word in
            word.count <= wordLimit && word.allSatisfy(\.isLetter) && word.dropFirst().allSatisfy(\.isLowercase)
        }
    }

    /// A text in which whatever looks like a token or a secret of ours is replaced by its kind.
    public static func masked(_ text: String) -> String {
        cut(replacingWords(of: text[...], kind))
    }

    /// A text with those words in brackets for which something else is to be said.
    private static func replacingWords(of text: Substring, _ instead: (Substring) -> String?) -> String {
        var replaced = ""
        for word in text.split(omittingEmptySubsequences: false, whereSeparator: { !isTokenCharacter($0) }) {
            replaced += instead(word).map { "(\($0))" } ?? String(word)
            if word.endIndex < text.endIndex { replaced.append(text[word.endIndex]) }
        }
        return replaced
    }

    /// A value that must not be shown: what it seems to be, and how long it is.
    private static func described(_ value: String) -> String {
        let length = length(of: value[...])
        return kind(value[...]).map { "\($0), \(length)" } ?? length
    }

    private static func length(of text: Substring) -> String {
        "\(text.count) character\(text.count == 1 ? "" : "s")"
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

    /// What fits, without what controls or cannot be seen: no database, terminal or log line is disturbed by what came, nor written
    /// backwards.
    private static func cut(_ text: String) -> String {
        let plain = text.unicodeScalars.prefix(lengthLimit).map { scalar -> Unicode.Scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: "\u{FFFD}"
            default: scalar
            }
        }
        return String(String.UnicodeScalarView(plain)) + (text.unicodeScalars.count > lengthLimit ? "…" : "")
    }
}
