extension Form {
    /// The resources that a request names (RFC 8707 §2), each once.
    ///
    /// Strings compare as people read them: a Kelvin sign equals a K. A URI is ASCII (RFC 3986 §2), in which nothing but itself
    /// equals a text.
    /// - Throws: `invalid_target` for a text that is no ASCII, or for more of them than a token has room for.
    func resources() throws(OAuthError) -> [String] {
        let resources = all("resource")
        guard resources.allSatisfy({ $0.utf8.allSatisfy { $0 < 0x80 } }) else {
            throw OAuthError(.invalidTarget, "resource holds a character that no URI may hold", about: "resource")
        }
        guard resources.reduce(0, { $0 + $1.utf8.count }) <= AuthorizationRequest.lengthLimit else {
            throw OAuthError(
                .invalidTarget,
                "the resources are together longer than \(AuthorizationRequest.lengthLimit) characters",
                about: "resource"
            )
        }
        return resources
    }
}
