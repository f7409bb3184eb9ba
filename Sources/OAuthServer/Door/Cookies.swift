import HTTPTypes
import Hummingbird
import OAuth

/// The cookies of this server: their names, and how they are kept from other sites and scripts (ASVS 3.3).
enum Cookies: String, CaseIterable {
    /// Which browser began an authorization; not a session, and kept over a sign-in so that other tabs go on.
    case browser
    /// The session.
    case session
    /// Which accounts have signed in here before.
    case device
    /// The session of an operator in the console.
    case console
    /// What the console says of the change before, sealed, until the next page has said it.
    case said

    /// The console is opened from nowhere else, so its cookies never travel with another site's link.
    private var sameSite: String {
        switch self {
        case .browser, .session, .device: "Lax"
        case .console, .said: "Strict"
        }
    }

    /// The name: `__Host-` over https, which binds it to this host alone; browsers refuse that on plain loopback.
    func name(_ issuer: Issuer) -> String {
        (issuer.isSecure ? "__Host-" : "") + "latchkey-" + rawValue
    }

    /// The header that sets it.
    ///
    /// - Parameters:
    ///   - value: what the browser keeps.
    ///   - issuer: whether it is https decides the name, and whether the cookie is `Secure`.
    ///   - lifetime: nil for as long as the browser runs; zero to remove it.
    /// - Returns: the content of a `Set-Cookie` header.
    func header(_ value: String, issuer: Issuer, lifetime: Duration? = nil) -> String {
        var header = "\(name(issuer))=\(value); Path=/; HttpOnly; SameSite=\(sameSite)"
        if issuer.isSecure { header += "; Secure" }
        if let lifetime { header += "; Max-Age=\(lifetime.components.seconds)" }
        return header
    }

    /// Its value in a request.
    ///
    /// It looks at bytes: to search among characters was the largest single cost of an authorization.
    func value(_ request: Request, _ issuer: Issuer) -> String? {
        let start = Array((name(issuer) + "=").utf8)
        for header in request.headers[values: .cookie] {
            for pair in Array(header.utf8).split(separator: UInt8(ascii: ";")) {
                let pair = pair.drop { $0 == UInt8(ascii: " ") }
                if pair.starts(with: start) { return String(decoding: pair.dropFirst(start.count), as: UTF8.self) }
            }
        }
        return nil
    }
}
