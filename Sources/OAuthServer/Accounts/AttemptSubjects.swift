import Crypto
import Foundation
import OAuthStore

/// Whose failures an attempt counts as, each by a hash: the database does not learn the addresses themselves.
struct AttemptSubjects: Sendable {
    /// Who proves who they are: a customer's failures are no operator's.
    enum Person: Sendable {
        case customer
        case `operator`

        fileprivate var names: (account: String, address: String) {
            switch self {
            case .customer: ("account", "address")
            case .operator: ("operator", "operator address")
            }
        }
    }

    /// The account's, on a browser that is known to it that browser's alone.
    let account: [UInt8]
    /// The network address's; nil for a known browser, which waits for its own failures only.
    let address: [UInt8]?

    /// - Parameters:
    ///   - person: who it is.
    ///   - email: what they typed.
    ///   - device: which browser this is, when it is known to the account.
    ///   - address: the network address that the request comes from.
    init(_ person: Person, email: String, device: [UInt8]?, address: String) {
        let names = person.names
        account = Self.subject(names.account, Array(Self.plain(email).utf8) + [0] + (device ?? []))
        self.address =
            device == nil ? Self.subject(names.address, Array((IPAddress(address)?.subscriber ?? address).utf8)) : nil
    }

    /// Each with its limit, the account first: what it does not let through is no failure of the address.
    func limited(account: AttemptLimit, address: AttemptLimit) -> [(subject: [UInt8], limit: AttemptLimit)] {
        [(self.account, account)] + (self.address.map { [($0, address)] } ?? [])
    }

    /// The note by which the attempt is given back.
    func settled(wasRight: Bool) -> SettledAttempt {
        SettledAttempt(account: account, address: address, wasRight: wasRight)
    }

    /// An address without what many databases overlook when they compare: case, accents, width, what cannot be seen.
    ///
    /// For counting alone: who guesses at a company's endpoint would otherwise have as many tries as an address has
    /// spellings there.
    private static func plain(_ email: String) -> String {
        // In a domain this full stop is a dot (UTS 46), by which an address is found.
        let dotted = email.decomposedStringWithCompatibilityMapping.replacing("\u{3002}", with: ".")
        let scalars = dotted.lowercased().unicodeScalars.filter { scalar in
            switch scalar.properties.generalCategory {
            case .nonspacingMark, .spacingMark, .enclosingMark, .format, .control, .spaceSeparator: false
            default: true
            }
        }
        return String(String.UnicodeScalarView(scalars))
    }

    private static func subject(_ kind: String, _ text: [UInt8]) -> [UInt8] {
        Array(SHA256.hash(data: Array(kind.utf8) + [0] + text).prefix(16))
    }
}
