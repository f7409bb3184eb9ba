/// The audiences that a request's `resource` names, however it writes them (RFC 8707 §2).
extension Audiences {
    /// The audiences as they are registered, each once; nil when a resource is none of them.
    ///
    /// Clients take the URL of an API through a library that writes a slash behind the host, as those of MCP do.
    ///
    /// - Parameters:
    ///   - resources: what a request names.
    ///   - known: what it may name.
    /// - Returns: the spelling in `known` of each resource: the same text if it is there, else an equivalent one.
    static func registered(_ resources: [String], among known: [String]) -> [String]? {
        var found: [String] = []
        for resource in resources {
            guard let audience = known.contains(resource) ? resource : equivalent(of: resource, among: known)
            else { return nil }
            if !found.contains(audience) { found.append(audience) }
        }
        return found
    }

    private static func equivalent(of resource: String, among known: [String]) -> String? {
        let plain = URIParts.normalized(resource)
        return known.first { URIParts.normalized($0) == plain }
    }
}
