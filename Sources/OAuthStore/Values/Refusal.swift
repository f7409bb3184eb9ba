public import OAuth

/// A refused request of a known client: what the partner debugger shows.
///
/// It holds no secret, code or token: `Redaction` has seen everything that came from outside.
public struct Refusal: Sendable, Equatable {
    /// Whose request it was.
    public let client: ClientID
    /// When it came.
    public let at: Instant
    /// Where: `authorize`, `token`, `revoke`, `introspect`.
    public let endpoint: String
    /// The id that the partner saw too.
    public let requestID: String
    /// The error code that it was answered with.
    public let error: String
    /// The sentence that it was answered with.
    public let description: String
    /// The status that it was answered with.
    public let status: Int64
    /// The parameter that it is about.
    public let parameter: String?
    /// What would have been right.
    public let expected: String?
    /// What came instead, without secrets.
    public let got: String?
    /// The connection that it would have used, if that is proved.
    public let connection: ConnectionID?

    /// Makes a refusal.
    public init(
        client: ClientID,
        at: Instant,
        endpoint: String,
        requestID: String,
        error: String,
        description: String,
        status: Int64,
        parameter: String?,
        expected: String?,
        got: String?,
        connection: ConnectionID?
    ) {
        self.client = client
        self.at = at
        self.endpoint = endpoint
        self.requestID = requestID
        self.error = error
        self.description = description
        self.status = status
        self.parameter = parameter
        self.expected = expected
        self.got = got
        self.connection = connection
    }
}

/// A refusal as it is stored.
public struct StoredRefusal: Sendable, Equatable {
    /// Its place: later ones have higher numbers.
    public let number: Int64
    /// What happened.
    public let refusal: Refusal
}
