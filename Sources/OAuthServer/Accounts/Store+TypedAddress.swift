import Foundation
import OAuth
package import OAuthStore

/// Who is meant by an address that somebody types in a browser.
extension Store {
    /// A customer's credentials by the address as it was typed, or else by another spelling of it.
    package func credentials(typed email: String) async throws(SQLError) -> Credentials? {
        for spelling in email.addressSpellings {
            if let found = try await credentials(email: spelling) { return found }
        }
        return nil
    }

    /// Whether a customer's account has an address in another spelling: an earlier release kept what stood in a file.
    package func hasAccount(inOtherSpellingOf email: String) async throws(SQLError) -> Bool {
        for spelling in email.addressSpellings.dropFirst() {
            if try await credentials(email: spelling) != nil { return true }
        }
        return false
    }

    /// An operator by the address as it was typed, or else by another spelling of it.
    func operatorCredentials(
        typed email: String
    ) async throws(SQLError) -> (account: Operator, passwordHash: String)? {
        for spelling in email.addressSpellings {
            if let found = try await operatorCredentials(email: spelling) { return found }
        }
        return nil
    }
}

extension String {
    /// An e-mail address as it was typed, and the others that may be stored for it.
    ///
    /// A letter with its accent is one character where a keyboard made it, and may be two in a file (Unicode Standard Annex #15); a
    /// domain may be in ASCII. All of them count as one when attempts are counted.
    var addressSpellings: [String] {
        guard !utf8.allSatisfy({ $0 < 0x80 }), utf8.count <= EmailAddress.limit else { return [self] }
        let others = [precomposedStringWithCanonicalMapping, decomposedStringWithCanonicalMapping, withASCIIDomain]
        return others.compactMap { $0 }.reduce(into: [self]) { spellings, other in
            // To Swift they are the same text; to a database they are not.
            if !spellings.contains(where: { $0.utf8.elementsEqual(other.utf8) }) { spellings.append(other) }
        }
    }
}
