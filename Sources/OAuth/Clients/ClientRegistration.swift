/// What an operator said of a client: the part that is stored.
///
/// What is nil follows the profile, then the default.
public struct ClientRegistration: Sendable, Equatable, Codable {
    /// `client_id`.
    public var id: String
    /// What people read: who asks.
    public var name: String
    /// The id of its partner profile.
    public var partner: String?
    /// Whether it cannot keep a secret.
    public var isPublic: Bool?
    /// Where authorization responses may go; replaces the profile's.
    public var redirectURIs: [String]?
    /// What it may ask for; replaces the profile's.
    public var scopes: [String]?
    /// Which grants it may use; an empty list makes it a resource server.
    public var grants: [GrantType.RawValue]?
    /// How its refresh tokens behave.
    public var refresh: RefreshPolicy.RawValue?
    /// What its access tokens look like.
    public var accessToken: AccessTokenFormat.RawValue?
    /// How many seconds they live.
    public var accessTokenLifetime: Int64?
    /// The audiences it serves as a resource server.
    public var audiences: [String]?
    /// When people are asked.
    public var consent: ConsentRule.RawValue?
    /// Whether an operator switched it off.
    public var isDisabled: Bool

    /// Makes a registration that says nothing but who.
    public init(id: String, name: String, partner: String? = nil) {
        self.id = id
        self.name = name
        self.partner = partner
        isDisabled = false
    }

    enum CodingKeys: String, CodingKey {
        case id
        case name
        case partner
        case isPublic = "public"
        case redirectURIs = "redirect_uris"
        case scopes
        case grants
        case refresh
        case accessToken = "access_token"
        case accessTokenLifetime = "access_token_lifetime"
        case audiences
        case consent
        case isDisabled = "disabled"
    }
}

/// A registration that cannot become a client.
public struct RegistrationError: Error, CustomStringConvertible, Equatable {
    /// One sentence: what is wrong, what is expected.
    public let description: String

    /// Makes an error with its sentence.
    public init(_ description: String) {
        self.description = description
    }
}

extension Client {
    /// Fills a registration in from its profile and the defaults, and checks it.
    ///
    /// - Parameters:
    ///   - registration: what the operator said of the client.
    ///   - profile: the partner profile that the registration names, if any.
    ///   - known: the scopes that the settings name, for a client whose profile names none.
    ///   - secrets: what is stored of its secrets.
    /// - Throws: `RegistrationError` for the first thing that is wrong.
    public init(
        _ registration: ClientRegistration,
        profile: PartnerProfile?,
        scopes known: [ScopeWords],
        secrets: [ClientSecret]
    ) throws(RegistrationError) {
        let rules = profile?.rules
        guard let id = ClientID(registration.id) else {
            throw RegistrationError("the client id '\(registration.id)' must be 1 to 100 of A-Z a-z 0-9 - . _ ~")
        }
        guard !id.text.hasPrefix(Account.identifierPrefix) else {
            throw RegistrationError("a client id must not start with \(Account.identifierPrefix): accounts' ids do")
        }
        guard (1...100).contains(registration.name.count),
            !registration.name.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
        else {
            throw RegistrationError("a client's name must be 1 to 100 characters, without control characters")
        }
        self.id = id
        name = registration.name
        partner = registration.partner
        isDisabled = registration.isDisabled
        self.secrets = secrets
        isPublic = registration.isPublic ?? rules?.isPublic ?? false
        audiences = registration.audiences ?? []

        let isResourceServer = registration.grants?.isEmpty ?? false
        grants = Set(
            try (registration.grants ?? rules?.grants ?? [GrantType.authorizationCode, .refreshToken].map(\.rawValue))
                .map { name throws(RegistrationError) in try Self.choice(name, "grant") }
        )
        redirectURIs = try Self.unique(isResourceServer ? [] : registration.redirectURIs ?? rules?.redirectURIs ?? [])
            .map { text throws(RegistrationError) in
                do throws(OAuthError) {
                    return try RedirectURI(text)
                } catch {
                    throw RegistrationError(error.description)
                }
            }
        guard redirectURIs.count <= Self.redirectURILimit else {
            throw RegistrationError("a client may have at most \(Self.redirectURILimit) redirect URIs")
        }
        do throws(OAuthError) {
            let allowed = rules?.scopes?.map(\.name) ?? known.map(\.name)
            scopes = try Scope(names: isResourceServer ? [] : registration.scopes ?? allowed)
            defaultScopes = try Scope(names: rules?.defaultScopes ?? scopes.names).intersection(scopes)
        } catch {
            throw RegistrationError(error.description)
        }
        refresh = try Self.choice(
            registration.refresh ?? rules?.refresh ?? (isPublic ? RefreshPolicy.successor : .stable).rawValue,
            "refresh policy"
        )
        accessToken = AccessTokenPolicy(
            format: try Self.choice(
                registration.accessToken ?? rules?.accessToken ?? AccessTokenFormat.jwt.rawValue,
                "access token format"
            ),
            lifetime: .seconds(registration.accessTokenLifetime ?? rules?.accessTokenLifetime ?? 3600)
        )
        proofKey =
            isPublic ? .required : try Self.choice(rules?.proofKey ?? ProofKeyRule.required.rawValue, "PKCE rule")
        consent =
            isPublic
            ? .always
            : try Self.choice(
                registration.consent ?? rules?.consent ?? ConsentRule.always.rawValue,
                "consent rule"
            )
        sendsIssuer = rules?.issuerInResponse ?? true
        sendsUserID = rules?.userID ?? true
        try checkTogether()
    }

    /// What no single member shows.
    private func checkTogether() throws(RegistrationError) {
        guard AccessTokenPolicy.lifetimes.contains(accessToken.lifetime) else {
            throw RegistrationError("an access token's lifetime must be 60 to 86400 seconds")
        }
        guard !grants.contains(.authorizationCode) || !redirectURIs.isEmpty else {
            throw RegistrationError(
                "a client that uses authorization_code needs a redirect URI: add --redirect-uri URI"
            )
        }
        guard !isPublic || !grants.contains(.clientCredentials) else {
            throw RegistrationError("a public client cannot use client_credentials: it has nothing to prove who it is")
        }
        guard !isPublic || refresh != .stable else {
            throw RegistrationError(
                "a public client's refresh tokens must rotate (RFC 9700 section 2.2.2): successor or strict"
            )
        }
        guard !grants.isEmpty || !audiences.isEmpty else {
            throw RegistrationError("a client without grants is a resource server and needs --audience URI")
        }
        guard !(grants.isEmpty && isPublic) else {
            throw RegistrationError("a resource server cannot be public: introspection needs its credentials")
        }
        guard scopes.description.utf8.count <= AuthorizationRequest.lengthLimit else {
            throw RegistrationError(
                "a client's scopes may together have at most \(AuthorizationRequest.lengthLimit) characters"
            )
        }
        guard audiences.allSatisfy(Self.isAudience) else {
            throw RegistrationError("an audience must be an absolute URI without a fragment (RFC 8707 section 2)")
        }
    }

    /// The most redirect URIs that a client may have.
    public static let redirectURILimit = 100

    /// RFC 8707 §2: an absolute URI, without a fragment.
    private static func isAudience(_ text: String) -> Bool {
        let scheme = text.prefix { $0 != ":" }
        return !scheme.isEmpty && scheme.utf8.allSatisfy(\.isUnreserved) && text.utf8.count > scheme.utf8.count + 1
            && text.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "#") }
    }

    private static func unique(_ texts: [String]) -> [String] {
        texts.enumerated().filter { index, text in !texts[..<index].contains(text) }.map(\.element)
    }

    private static func choice<Choice: RawRepresentable & CaseIterable>(
        _ text: String,
        _ what: String
    ) throws(RegistrationError) -> Choice where Choice.RawValue == String {
        guard let choice = Choice(rawValue: text) else {
            let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw RegistrationError("'\(text)' is not a \(what); choose from \(known)")
        }
        return choice
    }
}
