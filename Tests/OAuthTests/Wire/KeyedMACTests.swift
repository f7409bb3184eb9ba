/// The MAC behind refresh tokens and sealed texts (RFC 2104): any other value would refuse every token that was ever issued.
import Crypto
import Testing

@testable import OAuth

@Suite struct `RFC 2104: a code under a key that is kept ready` {
    /// Test cases 1 to 4 of RFC 4231.
    @Test(arguments: [
        (
            [UInt8](repeating: 0x0B, count: 20), Array("Hi There".utf8),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        ),
        (
            Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        ),
        (
            [UInt8](repeating: 0xAA, count: 20), [UInt8](repeating: 0xDD, count: 50),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
        ),
        (
            Array(1...25), [UInt8](repeating: 0xCD, count: 50),
            "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"
        ),
    ])
    func `the codes are those of RFC 4231`(_ key: [UInt8], _ message: [UInt8], _ code: String) {
        let mac = KeyedMAC(SymmetricKey(data: key))
        // Again, because the kept state must stay as it was.
        for _ in 1...2 {
            let digits = mac.code(of: message).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
            #expect(digits.joined() == code)
        }
    }

    @Test func `the codes are the cryptographic library's own, whatever the lengths`() {
        for length in 0...200 {
            let key = SymmetricKey(data: [UInt8](repeating: UInt8(length), count: length % 65))
            let message = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            #expect(
                HMAC<SHA256>.authenticationCode(for: message, using: key).elementsEqual(
                    KeyedMAC(key).code(of: message)
                )
            )
        }
    }
}
