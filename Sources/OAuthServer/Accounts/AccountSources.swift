/// Where people's accounts are: a closed list, so that a new source is a new case (ADR 0012).
public enum AccountSources: Sendable {
    /// Here.
    case own
    /// At the company's own endpoint, and nowhere else.
    case loginEndpoint(LoginEndpointSettings)
    /// At both: an address that an account of our own has is decided here, every other one by the endpoint.
    case both(LoginEndpointSettings)

    /// The endpoint's settings, where there is one.
    var loginEndpoint: LoginEndpointSettings? {
        switch self {
        case .own: nil
        case .loginEndpoint(let settings), .both(let settings): settings
        }
    }
}
