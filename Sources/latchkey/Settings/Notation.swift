import Logging
import OAuth
import OAuthServer

/// How the value of a setting is written: what is expected, how it is read and how it is shown.
struct Notation<Value: Sendable>: Sendable {
    /// What to write, as the end of the sentence "it must be …".
    let expected: String
    /// What to write instead of a text that cannot be read, where that can be told.
    var remedy: @Sendable (String) -> String? = { _ in nil }
    let read: @Sendable (String) -> Value?
    let show: @Sendable (Value) -> String
}

extension Notation where Value == String {
    static func text(_ expected: String, _ isValid: @escaping @Sendable (String) -> Bool = { !$0.isEmpty }) -> Self {
        Notation(expected: expected, read: { isValid($0) ? $0 : nil }, show: { $0 })
    }
}

extension Notation where Value == String {
    /// A URI of whatever scheme (RFC 3986 §3): `https://api.acme.example`, `urn:acme:api`.
    static func uri(_ expected: String) -> Self {
        let limit = AuthorizationRequest.lengthLimit
        return text("\(expected), in at most \(limit) characters") { text in
            let scheme = text.prefix { $0 != ":" }
            return text.utf8.count <= limit && scheme.first?.isLetter == true
                && scheme.allSatisfy { $0.isLetter || $0.isNumber || "+-.".contains($0) }
                && text.utf8.count > scheme.utf8.count + 1 && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
        }
    }

    /// A URL of a server that is asked over HTTP; user information would be shown with it, and is sent to nobody.
    static func webURL(_ expected: String) -> Self {
        text(expected) { text in
            guard let scheme = ["http://", "https://"].first(where: text.hasPrefix) else { return false }
            let host = text.dropFirst(scheme.count).prefix { !"/?#".contains($0) }
            return !host.isEmpty && !host.hasPrefix(":") && !host.contains("@") && !text.contains(where: \.isWhitespace)
        }
    }
}

extension Notation where Value == String {
    /// A part of the brand, checked by the brand itself.
    static func brand(_ expected: String, _ check: @escaping @Sendable (String) throws(PagesError) -> Brand) -> Self {
        text(expected) { (try? check($0)) != nil }
    }
}

extension Notation where Value == Bool {
    static var flag: Self {
        Notation(
            expected: "true or false",
            read: { text in
                switch text.lowercased() {
                case "true", "yes", "1": true
                case "false", "no", "0": false
                default: nil
                }
            },
            show: { $0 ? "true" : "false" }
        )
    }
}

extension Notation where Value: FixedWidthInteger {
    static func number(_ range: ClosedRange<Value>, of what: String = "") -> Self {
        Notation(
            expected:
                "a whole number\(what.isEmpty ? "" : " of " + what) from \(range.lowerBound) to \(range.upperBound)",
            read: { text in Value(text).flatMap { range.contains($0) ? $0 : nil } },
            show: { String($0) }
        )
    }
}

/// How a duration is written; docs/configuration.md says it once for all.
let durationUnits = ", in seconds or with a unit: 500ms, 90s, 15m, 12h, 7d"

extension Notation where Value == Duration {
    /// Seconds, or a number with a unit.
    static func duration(_ range: ClosedRange<Duration>) -> Self {
        Notation(
            expected: "a duration from \(written(range.lowerBound)) to \(written(range.upperBound))"
                + durationUnits,
            read: { text in parsed(text).flatMap { range.contains($0) ? $0 : nil } },
            show: written
        )
    }

    private static let units: [(suffix: String, milliseconds: Int64)] = [
        ("ms", 1), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000),
    ]

    private static func parsed(_ text: String) -> Duration? {
        let unit = units.first { text.hasSuffix($0.suffix) } ?? ("", 1000)
        guard let number = Int64(text.dropLast(unit.suffix.count)) else { return nil }
        let (milliseconds, isTooLarge) = number.multipliedReportingOverflow(by: unit.milliseconds)
        return isTooLarge ? nil : .milliseconds(milliseconds)
    }

    private static func written(_ duration: Duration) -> String {
        let milliseconds = duration.milliseconds
        let unit = units.dropFirst().first { milliseconds.isMultiple(of: $0.milliseconds) && milliseconds != 0 }
        guard milliseconds != 0 else { return "0s" }
        return unit.map { "\(milliseconds / $0.milliseconds)\($0.suffix)" } ?? "\(milliseconds)ms"
    }
}

extension Notation where Value == [IPNetwork] {
    static var networks: Self {
        Notation(
            expected: "a list of IP addresses and networks (in the environment with commas between them)",
            read: { text in
                let parts = text.split(separator: ",").map(\.trimmed)
                let networks = parts.compactMap { IPNetwork($0) }
                return networks.count == parts.count ? networks : nil
            },
            show: { $0.map(\.description).joined(separator: ", ") }
        )
    }
}

extension Substring {
    /// Without the blanks at its ends; those within are part of what somebody wrote.
    fileprivate var trimmed: Substring {
        var text = drop { $0 == " " }
        while text.last == " " { text.removeLast() }
        return text
    }
}

extension Notation where Value == [ScopeWords] {
    static var scopes: Self {
        Notation(
            expected: "a list of scopes, each a name or a name with its words by language",
            read: { text in
                let names = text.split(separator: ",").map { String($0.drop { $0 == " " }) }
                return (try? Scope(names: names)).map { $0.names.map { ScopeWords(name: $0, words: [:]) } }
            },
            show: { $0.map(\.name).joined(separator: ", ") }
        )
    }
}

extension Notation where Value: RawRepresentable & CaseIterable & Sendable, Value.RawValue == String {
    static var choice: Self {
        Notation(
            expected: "one of " + Value.allCases.map(\.rawValue).joined(separator: ", "),
            read: { text in Value.allCases.first { $0.rawValue.lowercased() == text.lowercased() } },
            show: { $0.rawValue }
        )
    }
}
