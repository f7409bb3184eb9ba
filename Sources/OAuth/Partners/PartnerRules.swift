extension PartnerProfile {
    /// The policies of a client, as far as the partner's document sets them; what is nil follows the default.
    public struct Rules: Sendable, Equatable {
        /// The id that the partner's document fixes for the client.
        public let clientID: ClientID?
        /// The partner's redirect URIs; in some of them the operator says a part.
        public let redirectURIs: [RedirectTemplate]
        /// Domains below which any host may be redirected to.
        public let redirectHosts: [RedirectHost]
        let isPublic: Bool?
        let authentication: Set<ClientAuthenticationMethod>?
        let grants: Set<GrantType>?
        let scopes: [ScopeWords]?
        let defaultScopes: Scope?
        let accessToken: AccessTokenFormat?
        let lifetime: AccessTokenLifetime?
        let codeLifetime: Duration?
        let refresh: RefreshPolicy?
        let userID: Bool?
        let consent: ConsentRule?
        let prompt: PromptRule?
        let proofKey: ProofKeyRule?
        let issuerInResponse: Bool?
        /// How much of something a client may have.
        public let limits: Limits
        /// The paths that the partner's document fixes.
        public let endpoints: ProfileEndpoints
        let authorizationRequest: AuthorizationRequestRules
        /// How this partner's token requests are written.
        public let tokenRequest: TokenRequestRules
        let tokenResponse: TokenResponseShape?
        /// How the token endpoint words a refusal to this partner.
        public let errors: ErrorShape
        /// What the user-info endpoint tells this partner.
        public let userInfo: UserInfoShape?
        /// How soon the partner's document wants an answer: for tests and for the console, not enforced.
        public let deadlines: Deadlines
        /// Secrets that the partner's document prints: they work in test mode only, whatever their length.
        public let testSecrets: [String]

        static let keys = [
            "client_id", "redirect_uris", "redirect_hosts", "public", "client_authentication", "grants", "scopes",
            "default_scopes", "access_token", "access_token_lifetime", "code_lifetime", "refresh", "user_id", "consent",
            "prompt", "proof_key", "issuer_in_response", "limits", "endpoints", "authorization_request",
            "token_request", "token_response", "errors", "userinfo", "deadlines", "test_secrets",
        ]

        init(_ node: ProfileNode) throws(ProfileFault) {
            let rules = try node.members(Self.keys)
            clientID = try rules.optional("client_id") { node throws(ProfileFault) in
                try node.value { text throws(RegistrationError) in try ClientID(registering: text) }
            }
            redirectURIs =
                try rules.list("redirect_uris") { uri throws(ProfileFault) in
                    try uri.value(RedirectTemplate.init)
                } ?? []
            redirectHosts =
                try rules.list("redirect_hosts") { host throws(ProfileFault) in
                    try host.value(RedirectHost.init)
                } ?? []
            isPublic = try rules.flag("public")
            authentication = try rules.choices("client_authentication", "client authentication method")
            grants = try rules.choices("grants", "grant")
            scopes = try rules.list("scopes", ScopeWords.init)
            defaultScopes = try rules.optional("default_scopes", Scope.init)
            accessToken = try rules.choice("access_token", "format of access tokens")
            lifetime = try rules.optional("access_token_lifetime", AccessTokenLifetime.init)
            codeLifetime = try rules.optional("code_lifetime") { node throws(ProfileFault) in
                .seconds(try node.integer(AuthorizationCode.lifetimes, "a code's lifetime in seconds"))
            }
            refresh = try rules.choice("refresh", "refresh policy")
            userID = try rules.flag("user_id")
            consent = try rules.choice("consent", "consent rule")
            prompt = try rules.choice("prompt", "prompt rule")
            proofKey = try rules.choice("proof_key", "PKCE rule")
            issuerInResponse = try rules.flag("issuer_in_response")
            limits = try rules.optional("limits", Limits.init) ?? Limits()
            endpoints = try rules.optional("endpoints", ProfileEndpoints.init) ?? ProfileEndpoints()
            authorizationRequest =
                try rules.optional("authorization_request", AuthorizationRequestRules.init)
                ?? AuthorizationRequestRules()
            tokenRequest = try rules.optional("token_request", TokenRequestRules.init) ?? TokenRequestRules()
            tokenResponse = try rules.optional("token_response", TokenResponseShape.init)
            errors = try rules.optional("errors", ErrorShape.init) ?? .standard
            userInfo = try rules.optional("userinfo", UserInfoShape.init)
            deadlines = try rules.optional("deadlines", Deadlines.init) ?? Deadlines()
            testSecrets = try rules.texts("test_secrets") ?? []
            try checkTogether(rules)
        }

        /// What no single rule shows.
        private func checkTogether(_ rules: ProfileMembers) throws(ProfileFault) {
            if let node = rules["client_authentication"], authentication?.isEmpty ?? false, isPublic != true {
                throw node.fault("must name client_secret_basic, client_secret_post or both")
            }
            if let node = rules["user_id"], tokenResponse != nil {
                throw node.fault("cannot stand beside token_response, which says itself whether there is a user_id")
            }
            if let scopes, let defaultScopes, let node = rules["default_scopes"],
                let name = defaultScopes.names.first(where: { name in !scopes.contains { $0.name == name } })
            {
                throw node.fault("'\(name)' is none of the scopes")
            }
            if authorizationRequest.mayOmit.contains(.clientID), let node = rules["authorization_request"] {
                guard clientID != nil, !endpoints.authorize.isEmpty else {
                    throw node.fault(
                        "client_id may be left out only where the profile has a client_id and an authorize endpoint"
                    )
                }
            }
        }

        /// The rules that are looser than the default, by key: each needs a reason.
        var loose: [String] {
            var loose: [String] = []
            if proofKey == .optional { loose.append("proof_key") }
            if issuerInResponse == false { loose.append("issuer_in_response") }
            if !redirectHosts.isEmpty { loose.append("redirect_hosts") }
            if lifetime == .never { loose.append("access_token_lifetime") }
            if let codeLifetime, codeLifetime > AuthorizationCode.lifetime { loose.append("code_lifetime") }
            if authorizationRequest.mayOmit.contains(.clientID) { loose.append("authorization_request") }
            if tokenRequest.mayOmit.contains(.redirectURI) { loose.append("token_request") }
            if tokenResponse?.tellsAccount ?? false { loose.append("token_response") }
            if userInfo?.members.contains(where: { $0.value != .userID }) ?? false { loose.append("userinfo") }
            return loose
        }
    }

    /// How much of something a client of this partner may have.
    public struct Limits: Sendable, Equatable {
        /// The most scopes.
        public let scopes: Int?
        /// The most redirect URIs.
        public let redirectURIs: Int?
        /// The fewest seconds that its access tokens may live.
        public let accessTokenLifetime: Int64?

        init() {
            scopes = nil
            redirectURIs = nil
            accessTokenLifetime = nil
        }

        init(_ node: ProfileNode) throws(ProfileFault) {
            let limits = try node.members(["scopes", "redirect_uris", "access_token_lifetime"])
            scopes = try limits.optional("scopes") { node throws(ProfileFault) in
                Int(try node.integer(1...Int64(Scope.nameLimit), "the most scopes"))
            }
            redirectURIs = try limits.optional("redirect_uris") { node throws(ProfileFault) in
                Int(try node.integer(1...Int64(Client.redirectURILimit), "the most redirect URIs"))
            }
            accessTokenLifetime = try limits.optional("access_token_lifetime") { node throws(ProfileFault) in
                try node.integer(AccessTokenPolicy.lifetimes, "the fewest seconds of an access token")
            }
        }
    }

    /// How soon a partner wants an answer.
    public struct Deadlines: Sendable, Equatable {
        /// From the authorization endpoint's pages.
        public let authorize: Duration?
        /// From the token endpoint.
        public let token: Duration?
        /// From the userinfo endpoint.
        public let userInfo: Duration?

        init() {
            authorize = nil
            token = nil
            userInfo = nil
        }

        init(_ node: ProfileNode) throws(ProfileFault) {
            let deadlines = try node.members(["authorize", "token", "userinfo"])
            func seconds(_ name: String) throws(ProfileFault) -> Duration? {
                try deadlines.optional(name) { node throws(ProfileFault) in try node.seconds(upTo: 300) }
            }
            authorize = try seconds("authorize")
            token = try seconds("token")
            userInfo = try seconds("userinfo")
        }
    }
}
