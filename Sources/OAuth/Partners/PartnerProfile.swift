import Yams

/// A partner's rules as data: what its own document demands of a client, with the source of each rule.
///
/// Profiles are YAML files, embedded in the program or given by `--partners DIR`. A rule that is left out follows the
/// secure default; a rule that is looser than the default must say why in `loosened`.
public struct PartnerProfile: Sendable, Equatable, Decodable {
    /// The id by which operators name it: `latchkey client create --partner seam`.
    public let id: String
    /// The partner's own name.
    public let name: String
    /// The partner's texts behind the rules: a short mark, and title, place and date.
    public let sources: [String: String]
    /// What a client made from this profile is like.
    public let rules: Rules
    /// The rules that are looser than the default, each with its reason.
    public let loosened: [Loosened]

    /// The policies of a client, as far as the partner's document sets them.
    public struct Rules: Sendable, Equatable, Decodable {
        let redirectURIs: [String]?
        let isPublic: Bool?
        let grants: [String]?
        let scopes: [ScopeWords]?
        let defaultScopes: [String]?
        let accessToken: String?
        let accessTokenLifetime: Int64?
        let refresh: String?
        let userID: Bool?
        let consent: String?
        let proofKey: String?
        let issuerInResponse: Bool?

        enum CodingKeys: String, CodingKey, CaseIterable {
            case redirectURIs = "redirect_uris"
            case isPublic = "public"
            case grants
            case scopes
            case defaultScopes = "default_scopes"
            case accessToken = "access_token"
            case accessTokenLifetime = "access_token_lifetime"
            case refresh
            case userID = "user_id"
            case consent
            case proofKey = "proof_key"
            case issuerInResponse = "issuer_in_response"
        }
    }

    /// A rule that is looser than the default.
    public struct Loosened: Sendable, Equatable, Decodable {
        /// The rule's key.
        public let rule: String
        /// Why the partner's document needs it, and what protects instead.
        public let why: String
    }

    /// The scopes that the partner's document names, with their words; nil when it names none.
    public var scopeWords: [ScopeWords]? { rules.scopes }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case id, name, sources, rules, loosened
    }

    /// Reads a profile.
    ///
    /// - Parameters:
    ///   - yaml: the file's text.
    ///   - file: its name, for the error.
    /// - Throws: `PartnerProfileError` that names the file, the key and what is wrong.
    public init(yaml: String, file: String) throws(PartnerProfileError) {
        do {
            let node = try Yams.compose(yaml: yaml)
            try Self.checkKeys(of: node, known: CodingKeys.allCases.map(\.rawValue))
            try Self.checkKeys(of: node?["rules"], known: Rules.CodingKeys.allCases.map(\.rawValue))
            self = try YAMLDecoder().decode(Self.self, from: yaml)
        } catch let error as PartnerProfileError {
            throw PartnerProfileError(file: file, reason: error.reason)
        } catch let error as DecodingError {
            throw PartnerProfileError(file: file, reason: Self.reason(error))
        } catch {
            throw PartnerProfileError(file: file, reason: "cannot be read: \(error)")
        }
        try check(file: file)
    }

    /// What the decoder found, in words.
    private static func reason(_ error: DecodingError) -> String {
        func key(_ path: [any CodingKey]) -> String { path.map(\.stringValue).joined(separator: ".") }
        return switch error {
        case .keyNotFound(let missing, let context): "lacks the key '\(key(context.codingPath + [missing]))'"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            "has a value of the wrong kind for '\(key(context.codingPath))'"
        case .dataCorrupted(let context): "cannot be read at '\(key(context.codingPath))': \(context.debugDescription)"
        @unknown default: "cannot be read"
        }
    }

    private static func checkKeys(of node: Node?, known: [String]) throws(PartnerProfileError) {
        for (key, _) in node?.mapping ?? [:] {
            guard let name = key.string, known.contains(name) else {
                throw PartnerProfileError(
                    file: "",
                    reason: "has the unknown key '\(key.string ?? "?")'; known are \(known.joined(separator: ", "))"
                )
            }
        }
    }

    /// A loosened rule must give its reason, and every value must mean something.
    private func check(file: String) throws(PartnerProfileError) {
        var loose: [String] = []
        if rules.proofKey == ProofKeyRule.optional.rawValue { loose.append("proof_key") }
        if rules.issuerInResponse == false { loose.append("issuer_in_response") }
        for rule in loose where !loosened.contains(where: { $0.rule == rule && !$0.why.isEmpty }) {
            throw PartnerProfileError(file: file, reason: "loosens \(rule) without a reason in 'loosened'")
        }
        var registration = ClientRegistration(id: "check", name: name, partner: id)
        // Where a profile names no redirect URI, the operator does.
        if rules.redirectURIs == nil { registration.redirectURIs = ["https://client.example/callback"] }
        do {
            _ = try Client(registration, profile: self, scopes: [], secrets: [])
        } catch {
            throw PartnerProfileError(file: file, reason: error.description)
        }
    }
}

/// A scope's name and what it means in words, by language.
public struct ScopeWords: Sendable, Equatable, Decodable {
    /// The scope's name.
    public let name: String
    /// The words by language code: `en`, `de`.
    public let words: [String: String]

    /// Makes a scope with its words.
    public init(name: String, words: [String: String]) {
        self.name = name
        self.words = words
    }

    /// Reads `name` and one key per language.
    public init(from decoder: any Decoder) throws {
        var texts = try [String: String](from: decoder)
        guard let name = texts.removeValue(forKey: "name") else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "a scope has no name")
            )
        }
        self.init(name: name, words: texts)
    }

    /// The words in `language`, else in English, else the name itself.
    public func words(in language: String) -> String {
        words[language] ?? words["en"] ?? name
    }
}

/// A partner profile that cannot be used.
public struct PartnerProfileError: Error, CustomStringConvertible {
    let file: String
    let reason: String

    /// One sentence with the file's name.
    public var description: String { "the partner profile \(file) \(reason)" }
}
