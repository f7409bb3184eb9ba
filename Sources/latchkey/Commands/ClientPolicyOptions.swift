import ArgumentParser
import OAuth
import OAuthServer

/// What `client create` and `client update` set of a client; what is left out follows the profile, then the default.
struct ClientPolicyOptions: ParsableArguments {
    @Option(help: "The partner profile's id; 'latchkey partner list' has them all.")
    var partner: String?

    @Option(help: "What people read: who asks. With --partner, the profile's name by default.")
    var name: String?

    @Option(
        name: .customLong("redirect-uri"),
        help: """
            Where authorization responses may go; replaces the profile's, until 'profile' brings those back. May be repeated.
            """
    )
    var redirectURIs: [String] = []

    @Option(
        name: .customLong("profile-value"),
        help: "NAME=VALUE for a {NAME} in the profile's redirect URIs, such as project_id=my-project. May be repeated."
    )
    var profileValues: [String] = []

    @Option(
        name: .customLong("scope"),
        help: """
            What the client may ask for; replaces the profile's. A request without scope gets the profile's default ones \
            among these, or else all of these. May be repeated.
            """
    )
    var scopes: [String] = []

    @Flag(
        inversion: .prefixedNo,
        help: "For a client that cannot keep a secret: an app, or a page in the browser. --no-public for one that can."
    )
    var `public`: Bool?

    @Option(help: "How refresh tokens behave: stable, successor, strict, or 'profile' for what the profile says.")
    var refresh: String?

    @Option(help: "What access tokens look like: jwt, opaque, or 'profile' for what the profile says.")
    var accessToken: String?

    @Option(help: "How many seconds they live: 60 to 86400, or 'profile' for as long as the profile says.")
    var accessTokenLifetime: String?

    @Option(
        name: .customLong("grant"),
        help: """
            Which grants it may use: authorization_code, refresh_token, client_credentials; 'none' for an API that only \
            introspects. May be repeated.
            """
    )
    var grants: [String] = []

    @Option(
        name: .customLong("audience"),
        help: "The audience that an API is; without --grant it makes the client an API. May be repeated."
    )
    var audiences: [String] = []

    @Option(
        name: .customLong("resource"),
        help: """
            Another audience than the server's that tokens of the client may be for (RFC 8707), or 'none'. Unless it is said, \
            people decide when they are asked, and a token of the client's own is for the server's audience. May be repeated.
            """
    )
    var resources: [String] = []

    @Option(
        help: """
            When people are asked: always, remembered while a connection covers it, or 'profile' for what the profile says.
            """
    )
    var consent: String?

    @Option(help: "A folder of more partner profiles.")
    var partners: String?

    /// Whether nothing is named that a client has.
    var isEmpty: Bool {
        let texts = [partner, name, refresh, accessToken, accessTokenLifetime, consent]
        let lists = [redirectURIs, profileValues, scopes, grants, audiences, resources]
        return texts.allSatisfy { $0 == nil } && lists.allSatisfy(\.isEmpty) && `public` == nil
    }

    /// Takes back what an option said before: the profile says it again, then the default.
    private static let asProfile = "profile"

    private static func said(_ text: String) -> String? { text == asProfile ? nil : text }

    private static func seconds(_ text: String) throws(RegistrationError) -> Int64? {
        guard text != asProfile else { return nil }
        guard let seconds = Int64(text) else {
            throw RegistrationError("--access-token-lifetime must be a whole number of seconds, or 'profile'")
        }
        return seconds
    }

    private func ownRedirectURIs() throws(RegistrationError) -> [String]? {
        guard redirectURIs.contains(Self.asProfile) else { return redirectURIs }
        guard redirectURIs.count == 1 else {
            throw RegistrationError("--redirect-uri profile cannot stand beside another --redirect-uri")
        }
        return nil
    }

    /// The values by their names; whoever says one twice has perhaps meant another name.
    private func namedValues() throws(RegistrationError) -> [String: String] {
        var values: [String: String] = [:]
        for text in profileValues {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty else {
                throw RegistrationError("--profile-value '\(text)' must be NAME=VALUE, such as project_id=my-project")
            }
            guard values.updateValue(String(parts[1]), forKey: String(parts[0])) == nil else {
                throw RegistrationError("--profile-value says '\(parts[0])' more than once: say it once")
            }
        }
        return values
    }

    /// A registration with these options in it.
    func applied(to registration: ClientRegistration) throws(RegistrationError) -> ClientRegistration {
        var registration = registration
        if let partner { registration.partner = partner }
        if let name { registration.name = name }
        if !redirectURIs.isEmpty { registration.redirectURIs = try ownRedirectURIs() }
        if !profileValues.isEmpty {
            registration.profileValues = (registration.profileValues ?? [:])
                .merging(try namedValues()) { _, new in new }
        }
        if !scopes.isEmpty { registration.scopes = try Scope(registering: scopes).names }
        if let isPublic = `public` { registration.isPublic = isPublic }
        if let refresh { registration.refresh = Self.said(refresh) }
        if let accessToken { registration.accessToken = Self.said(accessToken) }
        if let accessTokenLifetime { registration.accessTokenLifetime = try Self.seconds(accessTokenLifetime) }
        if let consent { registration.consent = Self.said(consent) }
        if !audiences.isEmpty { registration.audiences = audiences }
        if !resources.isEmpty { registration.resources = resources == ["none"] ? [] : resources }
        guard grants.contains("none") else {
            if !grants.isEmpty { registration.grants = grants }
            return registration
        }
        guard grants.count == 1 else { throw RegistrationError("--grant none cannot stand beside another --grant") }
        registration.grants = []
        return registration
    }

    /// Refuses values that no redirect URI of the client's would have in it.
    ///
    /// - Parameters:
    ///   - registration: the registration with these options in it, before single redirect URIs are added or removed.
    ///   - profile: its profile.
    /// - Throws: a `RegistrationError` that says what to write instead.
    func checkProfileValues(
        of registration: ClientRegistration,
        _ profile: PartnerProfile?
    ) throws(RegistrationError) {
        guard !profileValues.isEmpty else { return }
        guard let profile else {
            throw RegistrationError("this client has no profile to fill in: leave out --profile-value")
        }
        let names = profile.valueNames
        guard !names.isEmpty else {
            throw RegistrationError("the profile '\(profile.id)' has nothing to fill in: leave out --profile-value")
        }
        let asked = profileValues.map { String($0.prefix { $0 != "=" }) }
        if let unknown = asked.first(where: { !names.contains($0) }) {
            let guess = unknown.nearest(of: names).map { "; did you mean '\($0)'?" } ?? ""
            throw RegistrationError(
                "the profile '\(profile.id)' has no '\(unknown)' to fill in; --profile-value takes "
                    + names.joined(separator: ", ") + guess
            )
        }
        guard registration.redirectURIs != nil else { return }
        guard redirectURIs.isEmpty else {
            throw RegistrationError(
                "--redirect-uri takes the place of the redirect URIs that --profile-value fills in: leave out one of them"
            )
        }
        throw RegistrationError(
            "this client has redirect URIs of its own, which --profile-value does not change: change them with "
                + "--redirect-uri or --add-redirect-uri, or go back to the profile's with '--redirect-uri profile' beside it"
        )
    }

    /// Refuses what a public client would not heed, as far as these options and a secret that is chosen say it.
    func check(
        _ client: Client,
        of registration: ClientRegistration,
        secret: String?
    ) throws(RegistrationError) {
        guard client.isPublic else { return }
        guard secret == nil else {
            throw RegistrationError(
                "a public client has no secret: leave out --secret" + (`public` == true ? " or --public" : "")
            )
        }
        // One that is stored so may be changed otherwise; and by Basic with an empty password it may well be connected.
        guard !client.tokenRequest.mustSend.contains(.clientSecret) || (partner == nil && `public` != true) else {
            throw RegistrationError(
                "this partner's token requests carry a client_secret, and a public client has none",
                about: .isPublic
            )
        }
        guard registration.consent == ConsentRule.remembered.rawValue,
            consent != nil || partner != nil || `public` == true
        else { return }
        throw RegistrationError(
            "a public client's people are asked every time, for nothing proves that it is the same one: "
                + "say --consent always" + (`public` == true ? ", or leave out --public" : "")
        )
    }
}
