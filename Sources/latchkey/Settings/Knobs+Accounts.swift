import OAuth
import OAuthServer

/// The settings that say where people's accounts are.
extension Knob {
    static let accounts = [
        Knob(
            "accounts",
            .accounts,
            \.accounts,
            .choice,
            example: "login-endpoint",
            "Where people's accounts are: here (`own`), at your own endpoint (`login-endpoint`), or at `both`: then an address that an account of `latchkey account` has signs in here, and every other one there."
        ),
        Knob(
            "login-endpoint-url",
            .accounts,
            \.loginEndpoint.url,
            .webAddress,
            standard: "none",
            example: "https://accounts.acme.example/internal/login",
            "Your endpoint that checks an e-mail address and a password. See docs/accounts.md."
        ),
        Knob(
            "login-endpoint-secret",
            .accounts,
            \.loginEndpoint.secret,
            .sharedSecret,
            isSecret: true,
            standard: "none",
            example: "the output of `openssl rand -hex 32`",
            "What requests to the endpoint are signed with. The endpoint knows it too."
        ),
        Knob(
            "login-endpoint-deadline",
            .accounts,
            \.loginEndpoint.options.deadline,
            .duration(.milliseconds(100) ... .seconds(30)),
            example: "3s",
            "How long the endpoint's answer may take, all of it. After that people are told that sign-in is not available right now."
        ),
        Knob(
            "login-endpoint-email-member",
            .accounts,
            \.loginEndpoint.options.emailMember,
            .memberName,
            example: "username",
            "The member of the request's JSON that holds the e-mail address."
        ),
        Knob(
            "login-endpoint-password-member",
            .accounts,
            \.loginEndpoint.options.passwordMember,
            .memberName,
            example: "secret",
            "The member of the request's JSON that holds the password."
        ),
        Knob(
            "login-endpoint-id",
            .accounts,
            \.loginEndpoint.options.idPath,
            .memberPath,
            example: "user.id",
            "Where the answer's JSON holds the account's permanent id, a text or a whole number. It must never be given to somebody else."
        ),
        Knob(
            "login-endpoint-name",
            .accounts,
            \.loginEndpoint.options.namePath,
            .memberPath,
            example: "user.full_name",
            "Where the answer's JSON holds the account's name. It may be missing there."
        ),
        Knob(
            "login-endpoint-email",
            .accounts,
            \.loginEndpoint.options.emailPath,
            .memberPath,
            example: "user.email",
            "Where the answer's JSON holds the account's e-mail address of today."
        ),
        Knob(
            "login-endpoint-concurrency",
            .accounts,
            \.loginEndpoint.options.concurrency,
            .number(1...1000, of: "requests"),
            example: "16",
            "How many sign-ins one process asks the endpoint about at a time."
        ),
        Knob(
            "login-endpoint-password-page",
            .accounts,
            \.loginEndpoint.options.passwordPage,
            Notation(
                expected: "a web address",
                read: { text in text.hasPrefix("/") ? nil : PageLink(text) },
                show: { if case .absolute(let address) = $0 { address } else { "" } }
            ),
            standard: "no link",
            example: "https://acme.example/settings/password",
            "Where these accounts change their password. The customer's page leads there."
        ),
    ]
}

extension Notation where Value == RedirectURI {
    /// An address that requests with secrets may be sent to.
    fileprivate static var webAddress: Self {
        Notation(
            expected: "an https URL, or an http one on loopback, without user information and fragment",
            read: { text in
                guard let url = try? RedirectURI(text), ["https", "http"].contains(url.scheme) else { return nil }
                return url
            },
            show: { $0.text }
        )
    }
}

extension Notation where Value == Secret {
    fileprivate static var sharedSecret: Self {
        Notation(
            expected: "32 to 200 characters without white space",
            read: { text in
                (32...200).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
                    ? Secret(text) : nil
            },
            show: { _ in "***" }
        )
    }
}

extension Notation where Value == String {
    fileprivate static var memberName: Self {
        text("a name of letters, digits, _ and -", isName)
    }

    fileprivate static var memberPath: Self {
        text("a name of letters, digits, _ and -, or several with dots between them") { path in
            path.utf8.count <= 200 && path.split(separator: ".", omittingEmptySubsequences: false).allSatisfy(isName)
        }
    }

    private static func isName(_ text: some StringProtocol) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
                    || (byte < 0x80 && Character(Unicode.Scalar(byte)).isLetter)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            }
    }
}
