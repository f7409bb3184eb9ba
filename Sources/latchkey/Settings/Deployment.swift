import Logging
import OAuth
import OAuthServer
import OAuthStore

/// Everything that an operator set, each value checked by itself.
struct Deployment: Sendable {
    var listen = ListenAddress(host: "127.0.0.1", port: 8080)
    var issuer: String?
    /// How long a request may take to arrive, header and body together.
    var arrivalLimit = Duration.seconds(15)
    /// How long the server goes on serving after it was told to end.
    var shutdownDrain = Duration.zero
    /// How many connections may be open at once; the limit of open files may lower it.
    var connectionLimit = 16_384
    /// How many requests may be at work at once; more are told to come again.
    var requestLimit = 4096
    var database = DatabaseLocation.sqlite(path: "latchkey.sqlite")
    var pool = PoolLimits()
    /// Where endings are noted besides; nil for the place that goes with the database.
    var revocationLog: String?
    var secretKey: SecretKey?
    var audience: String?
    var partners: String?
    var brand = BrandWords()
    var accounts = AccountsChoice.own
    var loginEndpoint = LoginEndpointWords()
    var logLevel = Logger.Level.info
    /// How events are written; nil for what suits the place.
    var logFormat: EventLog.Format?
    /// The listener for metrics alone.
    var metricsListen: ListenAddress?
    /// The collector for traces; nil when there are none.
    var tracesTo: String?
    /// How many of a million traces are kept.
    var tracesShare = TraceShare(millionths: 10_000)
    /// Who may read the metrics where there is none.
    var metricsFrom = ["127.0.0.0/8", "::1"].compactMap { IPNetwork($0) }
    var sampleAPI = false
    var webhookURL: String?
    var webhookSecrets: [String]?
    /// What goes to the server as it is; issuer, audience and brand are filled in by `serverSettings()`.
    var settings = Settings(issuer: placeholder)
    /// The time, which follows the database once that is open.
    let clock = LedgerClock()
    /// Where each value came from that is not a default.
    var origins: [String: Origin] = [:]

    /// The brand as the settings write it.
    struct BrandWords: Sendable {
        var name: String?
        var logo: String?
        var accent: String?
        var darkAccent: String?
        var support: String?
        var passwordReset: String?
        var privacy: String?
        var terms: String?
    }

    /// Where people's accounts are, as the settings write it.
    enum AccountsChoice: String, CaseIterable, Sendable {
        case own
        case loginEndpoint = "login-endpoint"
        case both
    }

    /// The login endpoint as the settings write it.
    struct LoginEndpointWords: Sendable {
        var url: RedirectURI?
        var secret: Secret?
        var options = LoginEndpointSettings.Options()
    }

    private static var placeholder: Issuer {
        guard let issuer = Issuer("http://127.0.0.1:8080") else { preconditionFailure("a loopback URL is an issuer") }
        return issuer
    }

    /// Checks what no single value shows, and fills in what depends on another one.
    func serverSettings() throws(Complaint) -> Settings {
        var settings = settings
        settings.issuer = try settledIssuer()
        settings.audience = audience ?? settings.issuer.text
        settings.brand = try settledBrand()
        settings.accounts = try settledAccounts()
        settings.metricsReaders = metricsListen == nil ? metricsFrom : nil
        guard settings.clockOffset == .zero || settings.testMode else {
            throw Complaint(
                "clock-offset\(origin("clock-offset")) works only in test mode: add --test-mode, or remove it"
            )
        }
        guard metricsListen != listen else {
            throw Complaint(
                "metrics-listen\(origin("metrics-listen")) is \(listen), as is listen: choose another port for one of them"
            )
        }
        _ = try webhookTarget()
        guard settings.sessionIdle <= settings.sessionLifetime else {
            throw Complaint("session-idle\(origin("session-idle")) must not be longer than session-lifetime")
        }
        guard settings.consoleIdle <= settings.consoleLifetime else {
            throw Complaint(
                "console-session-idle\(origin("console-session-idle")) must not be longer than console-session-lifetime"
            )
        }
        return settings
    }

    /// The time and randomness of this deployment.
    var ambient: Ambient { .system(clock, clockOffset: settings.testMode ? settings.clockOffset : .zero) }

    /// The revocation log's file; nil when none is kept.
    var revocationLogPath: String? {
        switch (revocationLog, database) {
        case ("none"?, _): nil
        case (let path?, _): path
        case (nil, .sqlite(let path)): path + ".revocations"
        case (nil, .postgres): nil
        }
    }

    /// What is right for hardly anybody, and is told.
    var surprises: [String] {
        guard settings.trustedProxies.contains(where: \.isEverything) else { return [] }
        return [
            "trusted-proxies\(origin("trusted-proxies")) names every address there is: whoever calls can claim any source address, "
                + "and no limit by address holds; name the proxies alone"
        ]
    }

    /// Where webhooks go; nil when nobody wants any.
    func webhookTarget() throws(Complaint) -> WebhookTarget? {
        guard let url = webhookURL else {
            guard webhookSecrets == nil else {
                throw Complaint(
                    "webhook-secret\(origin("webhook-secret")) is set, but not webhook-url: set both or none"
                )
            }
            return nil
        }
        guard let secrets = webhookSecrets else {
            throw Complaint(
                "webhook-url\(origin("webhook-url")) is set, but not webhook-secret: "
                    + "'latchkey webhook secret' prints a new one"
            )
        }
        guard let target = WebhookTarget(url: url, secrets: secrets) else {
            throw Complaint("webhook-url or webhook-secret is not what is expected: see docs/webhooks.md")
        }
        return target
    }

    private func settledIssuer() throws(Complaint) -> Issuer {
        guard let text = issuer else {
            guard listen.isLoopback, let issuer = Issuer(listen.url) else {
                throw Complaint(
                    "issuer is not set, and \(listen) is not a loopback address from which it could be guessed: "
                        + "set issuer to the https URL by which people reach this server (--issuer, LATCHKEY_ISSUER)"
                )
            }
            return issuer
        }
        if let issuer = Issuer(text, allowsInsecure: settings.testMode) { return issuer }
        let isInsecure = Issuer(text, allowsInsecure: true) != nil
        throw Complaint(
            "issuer is '\(text)'\(origin("issuer")), "
                + (isInsecure
                    ? "but must begin with https:// unless its host is loopback (http is allowed in test mode: LATCHKEY_TEST_MODE=true)"
                    : "but must be an https URL without query and fragment, such as https://id.acme.example")
        )
    }

    private func settledAccounts() throws(Complaint) -> AccountSources {
        guard accounts != .own else {
            guard loginEndpoint.url == nil else {
                throw Complaint(
                    "login-endpoint-url\(origin("login-endpoint-url")) is set, but accounts is 'own': "
                        + "set accounts to 'login-endpoint' or 'both', or remove it"
                )
            }
            return .own
        }
        let why = "accounts is '\(accounts.rawValue)'\(origin("accounts"))"
        guard let url = loginEndpoint.url else {
            throw Complaint("\(why), so login-endpoint-url must be set to the address that checks people's passwords")
        }
        guard let secret = loginEndpoint.secret else {
            throw Complaint(
                "\(why), so login-endpoint-secret must be set to the secret that the endpoint knows: "
                    + "32 characters or more, such as `openssl rand -hex 32` prints"
            )
        }
        guard loginEndpoint.options.emailMember != loginEndpoint.options.passwordMember else {
            throw Complaint("login-endpoint-email-member and login-endpoint-password-member must not be the same name")
        }
        let settled = LoginEndpointSettings(url: url, secret: secret, options: loginEndpoint.options)
        return accounts == .both ? .both(settled) : .loginEndpoint(settled)
    }

    private func settledBrand() throws(Complaint) -> Brand {
        do throws(PagesError) {
            return try Brand(
                name: brand.name ?? Brand.standard.name,
                logo: brand.logo,
                accent: brand.accent,
                darkAccent: brand.darkAccent,
                support: brand.support,
                passwordReset: brand.passwordReset,
                privacy: brand.privacy,
                terms: brand.terms
            )
        } catch {
            throw Complaint(error.description)
        }
    }

    /// Where a setting came from, for the end of its name in a sentence; empty for a default.
    func origin(_ name: String) -> String {
        origins[name].map { " (from \($0))" } ?? ""
    }
}
