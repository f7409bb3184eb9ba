import Logging
import OAuth
import OAuthServer
import OAuthStore

/// Every setting there is. Reading, checking, `latchkey settings` and docs/configuration.md all come from this table.
extension Knob {
    static let all: [Knob] = server + database + tokens + partners + pages + accounts + limits + development

    private static let server = [
        Knob(
            "issuer",
            .server,
            \.issuer,
            .text("an https URL without query and fragment, or an http one on loopback"),
            standard: "http:// and the listen address, if only this machine can reach that",
            example: "https://id.acme.example",
            "Who issues: the `iss` of every token, and the start of every URL. With a path the whole server is mounted under it."
        ),
        Knob(
            "listen",
            .server,
            \.listen,
            .address,
            example: "0.0.0.0:8080",
            "Where the server listens, in plain HTTP. A proxy before it ends TLS."
        ),
        Knob(
            "trusted-proxies",
            .server,
            \.settings.trustedProxies,
            .networks,
            standard: "none",
            example: "[10.0.0.2, 192.168.0.0/16]",
            "The proxies, or the networks that they are in, whose `X-Forwarded-For` tells the source address of a request. From others it is not believed, and a warning says so once."
        ),
        Knob(
            "body-limit",
            .server,
            \.settings.bodyLimit,
            .number(1024...10_485_760, of: "bytes"),
            example: "65536",
            "The largest body of a request that is read."
        ),
        Knob(
            "arrival-limit",
            .server,
            \.arrivalLimit,
            .duration(.seconds(1) ... .minutes(10)),
            example: "30s",
            "How long a request may take to arrive, header and body together, however steadily it trickles. Then its connection is ended with 408."
        ),
        Knob(
            "connection-limit",
            .server,
            \.connectionLimit,
            .number(8...1_000_000, of: "connections"),
            example: "4096",
            "How many connections from outside may be open at once. When all are taken, the one that has been silent for longest makes room. The system's limit of open files may allow fewer."
        ),
        Knob(
            "log-level",
            .server,
            \.logLevel,
            .choice,
            example: "debug",
            "From which level on events are written to standard error."
        ),
    ]

    private static let database = [
        Knob(
            "database",
            .database,
            \.database,
            .database,
            example: "postgres://latchkey:secret@db.acme.example/latchkey",
            "Which database holds everything. With several hosts in the URL of PostgreSQL, the one that accepts writes is used."
        ),
        Knob(
            "secret-key",
            .database,
            \.secretKey,
            .secretKey,
            isSecret: true,
            standard: "with SQLite a file beside the database",
            example: "the output of `openssl rand -base64 32`",
            "The one secret that is not in the database. It opens the signing keys there. With SQLite it is made at the first start and kept in `PATH.key`, which only its owner may read. With PostgreSQL it must be set, to the same value for every node. Keep a copy of it where the backups of the database are not."
        ),
        Knob(
            "postgres-pool",
            .database,
            \.pool.size,
            .number(1...200, of: "connections"),
            example: "16",
            "How many connections to PostgreSQL one process keeps at most."
        ),
        Knob(
            "postgres-connect-deadline",
            .database,
            \.pool.connectDeadline,
            .duration(.milliseconds(50) ... .seconds(60)),
            example: "2s",
            "How long one PostgreSQL server may take to accept a connection."
        ),
        Knob(
            "postgres-statement-deadline",
            .database,
            \.pool.statementDeadline,
            .duration(.milliseconds(50) ... .seconds(60)),
            example: "5s",
            "How long one statement may take there."
        ),
        Knob(
            "postgres-pool-wait",
            .database,
            \.pool.wait,
            .duration(.milliseconds(50) ... .seconds(60)),
            example: "2s",
            "How long a request waits for a free connection before it is answered with 503."
        ),
    ]

    private static let tokens = [
        Knob(
            "audience",
            .tokens,
            \.audience,
            .text("a URI: what your API calls itself"),
            standard: "the issuer",
            example: "https://api.acme.example",
            "The `aud` of access tokens for which the client named no `resource` (RFC 8707)."
        ),
        Knob(
            "signing-algorithm",
            .tokens,
            \.settings.signingAlgorithm,
            .choice,
            example: "RS256",
            "The algorithm of new signing keys. When it changes, the next start adds a key of that algorithm, published before it signs."
        ),
        Knob(
            "key-lead",
            .tokens,
            \.settings.keyLead,
            .duration(.seconds(5) ... .days(30)),
            example: "2h",
            "How long a new signing key is published before it signs, so that every API has fetched it by then."
        ),
    ]

    private static let partners = [
        Knob(
            "partners",
            .partners,
            \.partners,
            .text("a folder"),
            standard: "only those that come with Latchkey",
            example: "/etc/latchkey/partners",
            "A folder of partner profiles (`*.yaml`). One with the id of an embedded profile takes its place."
        ),
        Knob(
            "scopes",
            .partners,
            \.settings.scopes,
            .scopes,
            standard: "none",
            example: "[{name: locks.read, en: See your locks, de: Ihre Schlösser sehen}]",
            "The scopes of clients whose profile names none, each with the words of the consent page by language. In the environment only the names, with commas between them."
        ),
    ]

    private static let pages = [
        Knob(
            "brand-name",
            .pages,
            \.brand.name,
            .brand("1 to 80 visible characters") { text throws(PagesError) in try Brand(name: text) },
            standard: "Latchkey",
            example: "Acme Locks",
            "Your name as your customers know it."
        ),
        Knob(
            "brand-logo",
            .pages,
            \.brand.logo,
            .brand("an https: or data:image/… address") { text throws(PagesError) in try Brand(name: "-", logo: text) },
            standard: "a keyhole",
            example: "https://acme.example/logo.svg",
            "The logo beside the name."
        ),
        Knob(
            "brand-accent",
            .pages,
            \.brand.accent,
            .brand("a colour as #rrggbb") { text throws(PagesError) in try Brand(name: "-", accent: text) },
            standard: Brand.standard.accent.description,
            example: "\"#0e6561\"",
            "The colour of buttons and links. In YAML it needs quotes, or it is a comment."
        ),
        Knob(
            "brand-dark-accent",
            .pages,
            \.brand.darkAccent,
            .brand("a colour as #rrggbb") { text throws(PagesError) in try Brand(name: "-", accent: text) },
            standard: "a readable one near to brand-accent",
            example: "\"#4fd1c5\"",
            "The same in the dark scheme."
        ),
        Knob(
            "brand-support",
            .pages,
            \.brand.support,
            .brand("a web or e-mail address") { text throws(PagesError) in try Brand(name: "-", support: text) },
            standard: "no link",
            example: "help@acme.example",
            "Where a person finds help."
        ),
        Knob(
            "brand-privacy",
            .pages,
            \.brand.privacy,
            .brand("a web address") { text throws(PagesError) in try Brand(name: "-", privacy: text) },
            standard: "no link",
            example: "https://acme.example/privacy",
            "Your privacy notice."
        ),
        Knob(
            "brand-terms",
            .pages,
            \.brand.terms,
            .brand("a web address") { text throws(PagesError) in try Brand(name: "-", privacy: text) },
            standard: "no link",
            example: "https://acme.example/terms",
            "Your terms of use."
        ),
        Knob(
            "templates",
            .pages,
            \.settings.templates,
            .text("a folder"),
            standard: "the embedded ones",
            example: "/etc/latchkey/templates",
            "A folder whose templates, stylesheet and images take the place of the embedded ones of the same name."
        ),
    ]

    private static let limits = [
        Knob(
            "session-idle",
            .limits,
            \.settings.sessionIdle,
            .duration(.minutes(1) ... .days(90)),
            example: "1h",
            "How long a person stays signed in without doing anything."
        ),
        Knob(
            "session-lifetime",
            .limits,
            \.settings.sessionLifetime,
            .duration(.minutes(1) ... .days(365)),
            example: "30d",
            "How long a person stays signed in at most."
        ),
        Knob(
            "console-session-idle",
            .limits,
            \.settings.consoleIdle,
            .duration(.minutes(1) ... .days(1)),
            example: "15m",
            "How long an operator stays signed in to the console without doing anything."
        ),
        Knob(
            "console-session-lifetime",
            .limits,
            \.settings.consoleLifetime,
            .duration(.minutes(1) ... .days(7)),
            example: "8h",
            "How long an operator stays signed in to the console at most."
        ),
        Knob(
            "account-failures",
            .limits,
            \.settings.accountLimit.freeFailures,
            .number(1...1000),
            example: "5",
            "How many sign-ins to one account may fail within account-window before the next one has to wait. The first wait is a second, and it doubles. A browser that has signed in to the account before does not wait."
        ),
        Knob(
            "account-window",
            .limits,
            \.settings.accountLimit.countedFor,
            .duration(.minutes(1) ... .days(1)),
            example: "30m",
            "How long a failed sign-in to an account counts."
        ),
        Knob(
            "account-longest-wait",
            .limits,
            \.settings.accountLimit.waitAtMost,
            .duration(.seconds(1) ... .days(1)),
            example: "1h",
            "The longest wait for one account."
        ),
        Knob(
            "address-failures",
            .limits,
            \.settings.addressLimit.freeFailures,
            .number(1...1_000_000),
            example: "1000",
            "How many sign-ins from one source address may fail within address-window before the next one has to wait. Of IPv6 a /64 counts as one address. A browser that has signed in to the account before does not wait, and what account-failures has stopped does not count."
        ),
        Knob(
            "address-window",
            .limits,
            \.settings.addressLimit.countedFor,
            .duration(.minutes(1) ... .days(1)),
            example: "30m",
            "How long a failed sign-in from a source address counts."
        ),
        Knob(
            "address-longest-wait",
            .limits,
            \.settings.addressLimit.waitAtMost,
            .duration(.seconds(1) ... .days(1)),
            example: "1h",
            "The longest wait for one source address."
        ),
        Knob(
            "client-failures",
            .limits,
            \.settings.clientFailureLimit,
            .number(1...100_000),
            example: "60",
            "How many authentications of one client may fail in a minute. Wrong secrets are answered with 429 after that; the right one always passes."
        ),
        Knob(
            "unknown-tokens",
            .limits,
            \.settings.unknownTokenLimit,
            .number(1...1_000_000),
            example: "5000",
            "How many tokens that this server never issued one client may have introspected in a minute. More are answered with 429; a token that was issued here always gets its answer."
        ),
        Knob(
            "password-queue",
            .limits,
            \.settings.passwordQueue,
            .number(1...10_000),
            example: "500",
            "How many sign-ins may wait for a password-thread. Who comes on top is asked to try again in two seconds."
        ),
        Knob(
            "password-threads",
            .limits,
            \.settings.passwordThreads,
            .number(1...64),
            standard: "the number of cores",
            example: "4",
            "How many passwords are hashed at a time. Each takes 19 MiB of memory meanwhile."
        ),
        Knob(
            "webhook-url",
            .webhooks,
            \.webhookURL,
            .text("an https URL, or an http URL on loopback, without user information and fragment") {
                WebhookTarget.isAllowed($0)
            },
            standard: "none",
            example: "https://api.acme.example/hooks/latchkey",
            "Where the server tells your company that connections were made, were cut or are failing: see webhooks.md. Without it nothing is told."
        ),
        Knob(
            "webhook-secret",
            .webhooks,
            \.webhookSecrets,
            .webhookSecrets,
            isSecret: true,
            standard: "none",
            example: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "What webhooks are signed with; needed with webhook-url. While you change over, name the new one and the old one: each signs. `latchkey webhook secret` prints a new one."
        ),
    ]

    private static let development = [
        Knob(
            "test-mode",
            .development,
            \.settings.testMode,
            .flag,
            example: "true",
            "For developers: short test secrets work, an `http` issuer may be on any host, the clock may be moved, and every page carries a banner."
        ),
        Knob(
            "clock-offset",
            .development,
            \.settings.clockOffset,
            .duration(.days(-3650) ... .days(3650)),
            example: "3600",
            "How far the clock is moved, in test mode only."
        ),
        Knob(
            "sample-api",
            .development,
            \.sampleAPI,
            .flag,
            example: "true",
            "Mounts a sample resource API (locks and access codes) beside the server, guarded by its tokens."
        ),
    ]
}

extension AttemptLimit {
    fileprivate var freeFailures: Int64 {
        get { failures }
        set {
            self = AttemptLimit(failures: newValue, window: window, firstWait: firstWait, longestWait: longestWait)
        }
    }

    fileprivate var countedFor: Duration {
        get { window }
        set {
            self = AttemptLimit(failures: failures, window: newValue, firstWait: firstWait, longestWait: longestWait)
        }
    }

    fileprivate var waitAtMost: Duration {
        get { longestWait }
        set { self = AttemptLimit(failures: failures, window: window, firstWait: firstWait, longestWait: newValue) }
    }
}
