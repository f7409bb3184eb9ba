import Logging
import OAuth
import OAuthServer
import OAuthStore

/// Every setting there is. Reading, checking, `latchkey settings` and docs/configuration.md all come from this table.
extension Knob {
    static let all: [Knob] =
        server + database + tokens + partners + pages + accounts + limits + webhooks + seeing + development

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
            "How long a request may take to arrive, header and body together, however steadily it trickles. Then its connection is ended with 408. A client that makes no room for its answers is let go after four times as long, without a word."
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
            "request-limit",
            .server,
            \.requestLimit,
            .number(8...1_000_000, of: "requests"),
            example: "1000",
            "How many requests may be at work or wait for it at once. Whatever comes beyond is told at once to come again in a second (503 with `Retry-After`), so that those that were let in do not wait longer and longer. `/healthz`, `/readyz` and `/metrics` are answered always."
        ),
        Knob(
            "shutdown-drain",
            .server,
            \.shutdownDrain,
            .duration(.zero ... .minutes(5)),
            example: "5s",
            "How long the server goes on serving after SIGTERM, while `/readyz` says 503 and every answer ends its connection. Behind a balancer: a little longer than the balancer takes to notice. A server that stands alone needs none. What is being answered then has 10 seconds more."
        ),
    ]

    private static let database = [
        Knob(
            "database",
            .database,
            \.database,
            .database,
            example: "postgres://latchkey:secret@db.acme.example/latchkey",
            "Which database holds everything. The URL of PostgreSQL may name several hosts (`host1,host2:5433`): the one that accepts writes is used, and after a failover the next one that does."
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
            "revocation-log",
            .database,
            \.revocationLog,
            .text("a file, or none"),
            standard: "with SQLite a file beside the database, with PostgreSQL none",
            example: "/var/lib/latchkey/revocations",
            "The file outside the database in which everything that ends is noted before it is acknowledged, so that a restored backup does not let it live again (docs/backup.md). It holds identifiers and times. With SQLite it is `PATH.revocations`. With PostgreSQL each node needs one of its own, on a disk that is not the database's."
        ),
        Knob(
            "postgres-pool",
            .database,
            \.pool.size,
            .number(1...200, of: "connections"),
            example: "16",
            "How many connections to PostgreSQL one process keeps at most, beside the one on which it hears of changes. Of more than four, two are kept for what a refresh reads, so that transactions that wait for locks hold up none."
        ),
        Knob(
            "postgres-connect-deadline",
            .database,
            \.pool.connectDeadline,
            .duration(.milliseconds(50) ... .seconds(60)),
            example: "2s",
            "How long the PostgreSQL servers in the URL may take, all together and with the search for their addresses, until one accepts a connection. Then requests are answered with 503 until one does again."
        ),
        Knob(
            "postgres-statement-deadline",
            .database,
            \.pool.statementDeadline,
            .duration(.milliseconds(50) ... .seconds(60)),
            example: "5s",
            "How long one statement may take there. One that is silent for half of this time makes the server look whether the database lives: if none accepts a connection within `postgres-connect-deadline`, and nobody was answered meanwhile, all requests are answered with 503 at once until one does. A node far from its database needs more of both."
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
            .uri("a URI: what your API calls itself"),
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
            .brand("a colour as #rrggbb") { text throws(PagesError) in try Brand(name: "-", darkAccent: text) },
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
            "brand-password-reset",
            .pages,
            \.brand.passwordReset,
            .brand("a web address") { text throws(PagesError) in try Brand(name: "-", passwordReset: text) },
            standard: "no link",
            example: "https://acme.example/forgot-password",
            "Where a person who has forgotten the password gets a new one; the sign-in page links to it."
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
            .brand("a web address") { text throws(PagesError) in try Brand(name: "-", terms: text) },
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
