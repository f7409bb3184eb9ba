/// A redirect URI of a profile, in which `{name}` stands for what only the operator knows.
///
/// `https://partner.example/r/{project_id}` becomes a redirect URI once there is a `project_id`.
public struct RedirectTemplate: Sendable, Equatable {
    /// The text, with the names in braces.
    public let text: String
    /// What the operator has to say, in the order of the text.
    public let names: [String]

    /// What stands between the names, and the names.
    private let parts: [Part]

    private enum Part: Equatable, Sendable {
        case text(String)
        case name(String)
    }

    /// Reads a template.
    /// - Throws: `RegistrationError` for stray braces, a bad name, or what could never be a redirect URI.
    public init(_ text: String) throws(RegistrationError) {
        var parts: [Part] = []
        var rest = text[...]
        while let open = rest.firstIndex(of: "{") {
            parts.append(.text(String(rest[..<open])))
            guard let close = rest[open...].firstIndex(of: "}") else {
                throw RegistrationError("the redirect URI '\(text)' has a { without a }")
            }
            let name = rest[rest.index(after: open)..<close]
            guard !name.isEmpty, name.utf8.allSatisfy(Self.permitsInName) else {
                throw RegistrationError("the redirect URI '\(text)' has a name in braces that is not of a-z 0-9 _")
            }
            parts.append(.name(String(name)))
            rest = rest[rest.index(after: close)...]
        }
        parts.append(.text(String(rest)))
        self.text = text
        self.parts = parts
        names = parts.compactMap { if case .name(let name) = $0 { name } else { nil } }
        _ = try filled(Dictionary(names.map { ($0, "x") }) { first, _ in first })
    }

    /// The redirect URI with the operator's values in it.
    ///
    /// - Parameter values: by name; each must be of unreserved characters, so that it stays within its segment.
    /// - Returns: the whole URI.
    /// - Throws: `RegistrationError` when a value is missing or bad, or the result is no redirect URI.
    public func filled(_ values: [String: String]) throws(RegistrationError) -> RedirectURI {
        var filled = ""
        for part in parts {
            switch part {
            case .text(let text):
                filled += text
            case .name(let name):
                guard let value = values[name] else {
                    throw RegistrationError(
                        "the profile's redirect URI \(text) needs a value for \(name), unless the client has redirect URIs "
                            + "of its own",
                        about: .profileValue(name)
                    )
                }
                guard (1...200).contains(value.utf8.count), value.utf8.allSatisfy(\.isUnreserved),
                    value != ".", value != ".."
                else {
                    throw RegistrationError(
                        "the profile value \(name) must be 1 to 200 of A-Z a-z 0-9 - . _ ~, and neither . nor ..",
                        about: .profileValue(name)
                    )
                }
                filled += value
            }
        }
        return try RedirectURI(registering: filled)
    }

    private static func permitsInName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"): true
        default: false
        }
    }
}
