/// An endpoint whose refusals the partner debugger shows.
enum WatchedEndpoint: String {
    case authorize
    case token
    case revoke
    case introspect
}
