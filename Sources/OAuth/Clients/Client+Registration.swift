/// The members of a client that take more than a line to read, and what must fit together.
extension Client {
    static func name(_ text: String) throws(RegistrationError) -> String {
        guard (1...100).contains(text.count),
            !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
        else {
            throw RegistrationError(
                "a client's name must be 1 to 100 characters, without control characters",
                about: .name
            )
        }
        return text
    }

    /// The operator's own, else the profile's with the operator's values in them; each once.
    static func redirectURIs(
        _ registration: ClientRegistration,
        _ rules: PartnerProfile.Rules?
    ) throws(RegistrationError) -> [RedirectURI] {
        var uris: [RedirectURI] = []
        if let texts = registration.redirectURIs {
            for text in texts { uris.append(try RedirectURI(registering: text)) }
        } else {
            let values = registration.profileValues ?? [:]
            for template in rules?.redirectURIs ?? [] { uris.append(try template.filled(values)) }
        }
        return uris.enumerated().filter { index, uri in !uris[..<index].contains(uri) }.map(\.element)
    }

    static func lifetime(
        _ registration: ClientRegistration,
        _ rules: PartnerProfile.Rules?
    ) throws(RegistrationError) -> Duration? {
        guard let seconds = registration.accessTokenLifetime else {
            return (rules?.lifetime ?? .limited(.seconds(3600))).duration
        }
        guard AccessTokenPolicy.lifetimes.contains(seconds) else {
            throw RegistrationError(
                "an access token's lifetime must be 60 to 86400 seconds",
                about: .accessTokenLifetime
            )
        }
        return .seconds(seconds)
    }

    /// What no single member shows.
    func checkTogether(_ limits: PartnerProfile.Limits) throws(RegistrationError) {
        try checkLifetime(limits.accessTokenLifetime)
        let mostURIs = limits.redirectURIs ?? Self.redirectURILimit
        try Self.check(redirectURIs.count, upTo: mostURIs, "redirect URI", .redirectURIs)
        try Self.check(scopes.names.count, upTo: limits.scopes ?? Scope.nameLimit, "scope", .scopes)
        guard !grants.contains(.authorizationCode) || !redirectURIs.isEmpty || !redirectHosts.isEmpty else {
            throw RegistrationError(
                "a client that uses authorization_code needs a redirect URI",
                about: .redirectURIs
            )
        }
        guard !isPublic || !grants.contains(.clientCredentials) else {
            throw RegistrationError(
                "a public client cannot use client_credentials: it has nothing to prove who it is",
                about: .grants
            )
        }
        guard !isPublic || refresh != .stable else {
            throw RegistrationError(
                "a public client's refresh tokens must rotate (RFC 9700 section 2.2.2): successor or strict",
                about: .refresh
            )
        }
        guard !grants.isEmpty || !audiences.isEmpty else {
            throw RegistrationError(
                "a client without grants is a resource server and needs an audience",
                about: .audiences
            )
        }
        guard !(grants.isEmpty && isPublic) else {
            throw RegistrationError(
                "a resource server cannot be public: introspection needs its credentials",
                about: .isPublic
            )
        }
        guard scopes.description.utf8.count <= AuthorizationRequest.lengthLimit else {
            throw RegistrationError(
                "a client's scopes may together have at most \(AuthorizationRequest.lengthLimit) characters",
                about: .scopes
            )
        }
        try Self.check(audiences, "an audience", .audiences)
        try Self.check(resources ?? [], "a resource", .resources)
    }

    private static func check(
        _ count: Int,
        upTo most: Int,
        _ noun: String,
        _ member: RegistrationError.Member
    ) throws(RegistrationError) {
        guard count > most else { return }
        throw RegistrationError("this client may have at most \(most) \(noun)\(most == 1 ? "" : "s")", about: member)
    }

    private static func check(
        _ uris: [String],
        _ noun: String,
        _ member: RegistrationError.Member
    ) throws(RegistrationError) {
        guard !uris.allSatisfy(isAudience) else { return }
        throw RegistrationError(
            "\(noun) must be an absolute URI without a fragment (RFC 8707 section 2)",
            about: member
        )
    }

    /// A token lives as long as its partner needs; one without an end must be one that we are asked about, and nothing
    /// else may live beside it.
    private func checkLifetime(_ least: Int64?) throws(RegistrationError) {
        if let lifetime = accessToken.lifetime {
            guard let least, lifetime < .seconds(least) else { return }
            throw RegistrationError(
                "this partner's access tokens must live for at least \(least) seconds",
                about: .accessTokenLifetime
            )
        }
        guard !grants.isEmpty else { return }
        guard accessToken.format == .opaque else {
            throw RegistrationError(
                "an access token that never expires must be opaque, so that it can be cut",
                about: .accessToken
            )
        }
        guard grants == [.authorizationCode] else {
            throw RegistrationError(
                "access tokens that never expire go with the grant authorization_code alone: "
                    + "set an access token lifetime for the other grants",
                about: .accessTokenLifetime
            )
        }
    }

    /// The most redirect URIs that a client may have.
    public static let redirectURILimit = 100

    /// RFC 8707 §2: an absolute URI, without a fragment.
    static func isAudience(_ text: String) -> Bool {
        let scheme = text.prefix { $0 != ":" }
        return !scheme.isEmpty && scheme.utf8.allSatisfy(\.isUnreserved) && text.utf8.count > scheme.utf8.count + 1
            && text.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "#") }
    }

    static func choice<Choice: RawRepresentable & CaseIterable>(
        _ text: String,
        _ what: String,
        about member: RegistrationError.Member? = nil
    ) throws(RegistrationError) -> Choice where Choice.RawValue == String {
        guard let choice = Choice(rawValue: text) else {
            let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw RegistrationError("'\(text)' is not a \(what); choose from \(known)", about: member)
        }
        return choice
    }
}
