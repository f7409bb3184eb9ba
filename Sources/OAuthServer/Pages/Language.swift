// The languages of the pages, and which one a person reads (OpenID Connect Core §3.1.2.1 `ui_locales`; RFC 9110 §12.5.4).

/// A language of the pages; the raw value is its language tag.
enum Language: String, CaseIterable, Sendable {
    case english = "en"
    case german = "de"

    /// The most tags that are looked at; a longer list is not written by a person's browser.
    private static let maximumTags = 32

    /// The language that a person reads best of those that exist, else English.
    /// - Parameters:
    ///   - uiLocales: `ui_locales` as the client sent it: tags with spaces between, the preferred one first.
    ///   - acceptLanguage: The browser's Accept-Language: tags with weights.
    /// - Returns: One of the languages that the pages have.
    static func preferred(uiLocales: String?, acceptLanguage: String?) -> Language {
        let asked = (uiLocales ?? "").split(separator: " ", maxSplits: maximumTags).lazy.compactMap(Language.init(tag:))
        return asked.first ?? accepted(acceptLanguage ?? "") ?? .english
    }

    /// The language of a tag by its primary subtag: `de-AT` is German.
    private init?(tag: some StringProtocol) {
        guard let primary = tag.split(separator: "-", maxSplits: 1).first else { return nil }
        self.init(rawValue: primary.lowercased())
    }

    private static func accepted(_ header: String) -> Language? {
        var best: (language: Language, weight: Double)?
        for entry in header.split(separator: ",", maxSplits: maximumTags) {
            let parts = entry.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" } }
            guard let tag = parts.first, let language = tag == "*" ? .english : Language(tag: tag) else { continue }
            let weight = parts.dropFirst().first { $0.lowercased().hasPrefix("q=") }.map {
                Double($0.dropFirst(2)) ?? 0
            }
            if (weight ?? 1) > (best?.weight ?? 0) {
                best = (language, weight ?? 1)
            }
        }
        return best?.language
    }
}
