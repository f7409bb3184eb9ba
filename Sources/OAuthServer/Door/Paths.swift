/// The paths that pages and redirects name.
enum Paths {
    static let authorize = "/oauth/authorize"
    static let login = "/login"
    static let consent = "/oauth/consent"
    static let console = "/console"
    static let account = "/account"
    static let accountSignIn = "/account/sign-in"
    static let accountSignOut = "/account/sign-out"
    static let accountDisconnect = "/account/disconnect"
    static let accountSessions = "/account/sessions"
    static let accountPassword = "/account/password"
    static let logout = "/oauth/logout"
    static let metrics = "/metrics"
    static let assets = "/assets"

    /// Below these no other path than the server's own may be.
    static let kept = [account, assets, console]
}
