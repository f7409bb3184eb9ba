import Foundation
import OAuth

extension EmailAddress {
    /// Takes what was typed at the command line, or stands in a file; there a letter may be apart from its accent.
    init(typed text: String) throws(Complaint) {
        guard let address = Self(text.precomposedStringWithCanonicalMapping) else {
            throw Complaint("'\(text.plain.prefix(100))' is not an e-mail address")
        }
        self = address
    }
}
