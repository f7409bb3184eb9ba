import OAuth

/// What is wrong with a registration, as the command line says it.
extension RegistrationError {
    /// The sentence, and the option of `client create` and `client update` that it is about.
    var withOption: String { option.map { "\(description) (\($0))" } ?? description }

    private var option: String? {
        switch member {
        // An id is chosen once, if at all.
        case nil, .id: nil
        case .name: "--name"
        case .isPublic: "--public"
        case .redirectURIs: "--redirect-uri URI"
        case .profileValue(let name): "--profile-value \(name)=…, or --redirect-uri URI"
        case .scopes: "--scope NAME, once for each"
        case .grants: "--grant"
        case .refresh: "--refresh"
        case .accessToken: "--access-token"
        case .accessTokenLifetime: "--access-token-lifetime"
        case .audiences: "--audience URI"
        case .resources: "--resource URI"
        case .consent: "--consent"
        }
    }
}
