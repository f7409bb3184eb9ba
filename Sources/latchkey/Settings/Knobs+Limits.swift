import OAuth
import OAuthServer
import OAuthStore

/// The settings that say how long sessions last, and how often something may fail.
extension Knob {
    static let limits = [
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
            \.settings.accountLimit.failures,
            .number(1...1000),
            example: "5",
            "How many sign-ins to one account may fail within account-window before the next one has to wait. The first wait is a second, and it doubles. A browser that has signed in to the account before does not wait."
        ),
        Knob(
            "account-window",
            .limits,
            \.settings.accountLimit.window,
            .duration(.minutes(1) ... .days(1)),
            example: "30m",
            "How long a failed sign-in to an account counts."
        ),
        Knob(
            "account-longest-wait",
            .limits,
            \.settings.accountLimit.longestWait,
            .duration(.seconds(1) ... .days(1)),
            example: "1h",
            "The longest wait for one account."
        ),
        Knob(
            "address-failures",
            .limits,
            \.settings.addressLimit.failures,
            .number(1...1_000_000),
            example: "1000",
            "How many sign-ins from one source address may fail within address-window before the next one has to wait. Of IPv6 a /64 counts as one address. A browser that has signed in to the account before does not wait, and what account-failures has stopped does not count."
        ),
        Knob(
            "address-window",
            .limits,
            \.settings.addressLimit.window,
            .duration(.minutes(1) ... .days(1)),
            example: "30m",
            "How long a failed sign-in from a source address counts."
        ),
        Knob(
            "address-longest-wait",
            .limits,
            \.settings.addressLimit.longestWait,
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
            "How many sign-ins may wait for a password-thread, and how many for an earlier sign-in to the same account. Who comes on top is asked to try again in two seconds."
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
    ]
}
