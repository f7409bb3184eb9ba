public import OAuth

/// A client's registration with what is stored of its secrets.
public struct StoredClient: Sendable, Equatable {
    /// What the operator said.
    public let registration: ClientRegistration
    /// Its live secrets, the newest first.
    public internal(set) var secrets: [ClientSecret]
    /// When it was made.
    public let createdAt: Instant
}

/// Every client of a database that can be read.
public struct StoredClients: Sendable, Equatable {
    /// The clients, by id.
    public let clients: [StoredClient]
    /// The ids of those whose row is damaged or was written by a newer version.
    public let unreadable: [String]
}
