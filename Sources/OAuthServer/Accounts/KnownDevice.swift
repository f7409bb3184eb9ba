import Crypto
import OAuth

/// A browser that has signed in before, and as whom: a stranger's failures do not make it wait.
struct KnownDevice: Sendable, Equatable {
    /// Who signs in with an address: a customer, or an operator of the same address, who is somebody else.
    enum Person {
        case customer(String)
        case `operator`(String)
    }

    /// Which browser this is: its own failures are counted by it.
    let id: [UInt8]
    private let accounts: [[UInt8]]

    private static let version: UInt8 = 1
    /// How many accounts a browser is remembered for.
    private static let limit = 8

    init(_ device: KnownDevice?, adding person: Person, random: [UInt8]) {
        id = device?.id ?? random
        let account = Self.mark(person)
        accounts = Array(([account] + (device?.accounts ?? []).filter { $0 != account }).prefix(Self.limit))
    }

    init?(_ cookie: String, key: SymmetricKey) {
        guard let sealed = SealedText.open(Array(cookie.utf8), keys: [key]),
            var content = FieldReader(sealed.content, version: Self.version), let id = content.bytes()
        else { return nil }
        self.id = id
        var accounts: [[UInt8]] = []
        while let account = content.bytes() { accounts.append(account) }
        self.accounts = accounts
    }

    func knows(_ person: Person) -> Bool { accounts.contains(Self.mark(person)) }

    func sealed(id sealID: [UInt8], key: SymmetricKey) throws -> String {
        var content = FieldWriter(version: Self.version)
        content.write(id)
        for account in accounts { content.write(account) }
        return try SealedText.seal(content.bytes, id: sealID, key: key)
    }

    /// A NUL, which no address holds, keeps operators apart from whatever customers are called.
    private static func mark(_ person: Person) -> [UInt8] {
        let text =
            switch person {
            case .customer(let email): Array(EmailAddress.key(of: email).utf8)
            case .operator(let email): [0] + Array(EmailAddress.key(of: email).utf8)
            }
        return Array(SHA256.hash(data: text).prefix(8))
    }
}
