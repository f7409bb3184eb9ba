/// The members of a client that take more than a line to read, and what must fit together.
extension Client {
    static func name(_ text: String) throws(RegistrationError) -> String {
        guard (1...100).contains(text.count),
            !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
        else {
            throw RegistrationError("a client's name must be 1 to 100 characters, without control characters")
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
            throw RegistrationError("an access token's lifetime must be 60 to 86400 seconds")
        }
        return .seconds(seconds)
    }

    /// What no single member shows.
    func checkTogether(_ limits: PartnerProfile.Limits) throws(RegistrationError) {
        try checkLifetime(limits.accessTokenLifetime)
        try Self.check(redirectURIs.count, upTo: limits.redirectURIs ?? Self.redirectURILimit, "redirect URI")
        try Self.check(scopes.names.count, upTo: limits.scopes ?? Scope.nameLimit, "scope")
        guard !grants.contains(.authorizationCode) || !redirectURIs.isEmpty || !redirectHosts.isEmpty else {
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
        guard (audiences + (resources ?? [])).allSatisfy(Self.isAudience) else {
            throw RegistrationError(
                "an audience or a resource must be an absolute URI without a fragment (RFC 8707 section 2)"
            )
        }
    }

    private static func check(_ count: Int, upTo most: Int, _ noun: String) throws(RegistrationError) {
        guard count > most else { return }
        throw RegistrationError("this client may have at most \(most) \(noun)\(most == 1 ? "" : "s")")
    }

    /// A token lives as long as its partner needs; one without an end must be one that we are asked about, and nothing
    /// else may live beside it.
    private func checkLifetime(_ least: Int64?) throws(RegistrationError) {
        if let lifetime = accessToken.lifetime {
            guard let least, lifetime < .seconds(least) else { return }
            throw RegistrationError("this partner's access tokens must live for at least \(least) seconds")
        }
        guard !grants.isEmpty else { return }
        guard accessToken.format == .opaque else {
            throw RegistrationError("an access token that never expires must be opaque, so that it can be cut")
        }
        guard grants == [.authorizationCode] else {
            throw RegistrationError(
                "access tokens that never expire go with the grant authorization_code alone: "
                    + "set an access token lifetime for the other grants"
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
        _ what: String
    ) throws(RegistrationError) -> Choice where Choice.RawValue == String {
        guard let choice = Choice(rawValue: text) else {
            let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw RegistrationError("'\(text)' is not a \(what); choose from \(known)")
        }
        return choice
    }
}
