import HTTPTypes
import OAuth

/// Why an operator's password was not taken, as the form says it.
struct PasswordRefusal {
    let problem: String
    let status: HTTPResponse.Status
    /// When to come again.
    var wait: Duration?
    /// The field that it is about; nil where nothing that was typed is wrong, or nobody says what.
    var field: String?

    /// Nobody signs in with it.
    static let wrongAtSignIn = Self(
        problem: "The email or the password is not right. Check both and try again.",
        status: .unprocessableContent
    )

    /// It is not the password of who is signed in.
    static let wrong = Self(
        problem: "The password is not right. Nothing was done.",
        status: .forbidden,
        field: "password"
    )

    /// The page was opened while none was needed, and sent when one was: that is no wrong try.
    static let missing = Self(
        problem: "Write your password: it is more than five minutes since you last did. Nothing was done yet.",
        status: .forbidden,
        field: "password"
    )

    /// It was right, and the session has gone on under another cookie.
    static let sessionMoved = Self(
        problem:
            "Your session has changed meanwhile, as it does when a form is sent twice. Look whether it was done already.",
        status: .conflict
    )

    /// The queue of those who wait for a check is full.
    static let crowded = Self(
        problem: "Too many passwords are being checked at this moment. Wait a few seconds, then try again.",
        status: .serviceUnavailable,
        wait: .seconds(2)
    )

    /// Too many were wrong before.
    static func blocked(_ wait: Duration) -> Self {
        Self(
            problem: "There were too many tries. Wait \(Words.english.duration(wait)), then try again.",
            status: .tooManyRequests,
            wait: wait
        )
    }
}
