/// A registration that cannot become a client.
public struct RegistrationError: Error, CustomStringConvertible, Equatable {
    /// One sentence: what is wrong, what is expected.
    public let description: String

    /// Makes an error with its sentence.
    public init(_ description: String) {
        self.description = description
    }
}
