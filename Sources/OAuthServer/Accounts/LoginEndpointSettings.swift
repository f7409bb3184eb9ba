public import OAuth

/// How the company's own endpoint is asked who somebody is.
public struct LoginEndpointSettings: Sendable {
    /// Its address: https, or http on loopback.
    public let url: RedirectURI
    /// What requests are signed with, known to Latchkey and the endpoint.
    public let secret: Secret
    /// What else may be said of it.
    public let options: Options

    /// What has a default.
    public struct Options: Sendable {
        /// How long an answer may take, all of it.
        public var deadline = Duration.seconds(5)
        /// The member of the request that holds the e-mail address.
        public var emailMember = "email"
        /// The member of the request that holds the password.
        public var passwordMember = "password"
        /// Where the answer holds the permanent id; dots lead into objects.
        public var idPath = "id"
        /// Where the answer holds the name.
        public var namePath = "name"
        /// Where the answer holds the e-mail address.
        public var emailPath = "email"
        /// How many are asked at a time; who comes on top is told to try again.
        public var concurrency = 64
        /// Where these accounts change their password; nil for nowhere that we know.
        public var passwordPage: PageLink?

        /// The defaults.
        public init() {}
    }

    /// Names the two that have no default, and everything else.
    public init(url: RedirectURI, secret: Secret, options: Options) {
        self.url = url
        self.secret = secret
        self.options = options
    }
}
