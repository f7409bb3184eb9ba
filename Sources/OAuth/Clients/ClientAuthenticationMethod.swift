/// A way for a client to prove who it is (RFC 6749 §2.3.1), by its registered name.
public enum ClientAuthenticationMethod: String, Sendable, CaseIterable {
    case basic = "client_secret_basic"
    case post = "client_secret_post"
}
