/// A set of scope names in the order given, written with single spaces (RFC 6749 §3.3).
public struct Scope: Sendable, Hashable, CustomStringConvertible {
    /// The names, each once.
    public let names: [String]

    /// The scope that allows nothing.
    public static let none = Scope(unchecked: [])

    /// Reads the `scope` parameter.
    /// - Throws: `invalid_scope` for characters outside RFC 6749 §3.3, for spaces without a name, more than 50 names or a name over
    ///   200 characters.
    public init(_ text: String) throws(OAuthError) {
        let names = text.spaceSeparated
        guard !names.isEmpty || text.isEmpty else {
            throw OAuthError(.invalidScope, "scope holds spaces only: name a scope, or leave it out", about: "scope")
        }
        try self.init(names: names)
    }

    /// Makes a scope of names.
    /// - Throws: `invalid_scope`, as for a text.
    public init(names: [String]) throws(OAuthError) {
        guard names.count <= Self.nameLimit else {
            throw OAuthError(.invalidScope, "more than \(Self.nameLimit) scopes were asked for", about: "scope")
        }
        for name in names {
            guard !name.isEmpty, name.utf8.count <= Self.lengthLimit, name.utf8.allSatisfy(Self.permits) else {
                throw OAuthError(
                    .invalidScope,
                    "a scope name holds a character that is not allowed, or is longer than \(Self.lengthLimit)",
                    about: "scope"
                )
            }
        }
        let isRepeated = names.indices.contains { names[..<$0].contains(names[$0]) }
        self.names = isRepeated ? names.reduce(into: []) { if !$0.contains($1) { $0.append($1) } } : names
    }

    /// Takes the names that an operator registers, one in each text.
    /// - Throws: `RegistrationError` as for names that are asked for, and for commas: OAuth would take `a,b` for one name, which nobody
    ///   means, and which no request would ask for.
    public init(registering names: [String]) throws(RegistrationError) {
        if let several = names.first(where: { $0.contains(",") }) {
            throw RegistrationError("the scope '\(several)' holds a comma: write each scope by itself", about: .scopes)
        }
        do throws(OAuthError) {
            try self.init(names: names)
        } catch {
            throw RegistrationError(error.description, about: .scopes)
        }
    }

    /// Reads a list of names from a profile.
    init(_ node: ProfileNode) throws(ProfileFault) {
        let names = try node.list { name throws(ProfileFault) in try name.text() }
        do throws(OAuthError) {
            try self.init(names: names)
        } catch {
            throw node.fault(error.description)
        }
    }

    private init(unchecked names: [String]) {
        self.names = names
    }

    /// The names with single spaces between them: the `scope` parameter.
    public var description: String { names.joined(separator: " ") }

    /// Whether nothing is allowed.
    public var isEmpty: Bool { names.isEmpty }

    /// Whether every name of this is in `other`.
    public func isSubset(of other: Scope) -> Bool {
        names.allSatisfy(other.names.contains)
    }

    /// Whether `name` is in this.
    public func contains(_ name: String) -> Bool { names.contains(name) }

    /// The names that are in both, in this one's order.
    public func intersection(_ other: Scope) -> Scope {
        isSubset(of: other) ? self : Scope(unchecked: names.filter(other.names.contains))
    }

    /// The most names a scope may have.
    public static let nameLimit = 50
    /// The most characters a scope's name may have.
    public static let lengthLimit = 200

    /// RFC 6749 §3.3: %x21 / %x23-5B / %x5D-7E.
    private static func permits(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x21, 0x23...0x5B, 0x5D...0x7E: true
        default: false
        }
    }
}

extension String {
    /// The parts between spaces, without empty ones: how OAuth and the ledger write lists.
    ///
    /// It looks at bytes: to find spaces among characters costs ten times as much.
    public var spaceSeparated: [String] {
        utf8.split(separator: UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) }
    }
}
