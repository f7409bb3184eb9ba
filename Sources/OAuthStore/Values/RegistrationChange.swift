public import OAuth

/// What became of a change of a client's registration.
public struct RegistrationChange: Sendable, Equatable {
    /// The registration that the change found.
    public let before: ClientRegistration
    /// The registration that is stored now, or why nothing was changed.
    public let outcome: Result<ClientRegistration, RegistrationError>
}
