/// A JSON Web Key Set (RFC 7517 §5).
public struct JSONWebKeySet: Sendable, Decodable {
    /// Its members.
    public let keys: [JSONWebKey]

    /// Reads a set; a member that is not understood is passed over, as §5 asks.
    public init(from decoder: any Decoder) throws {
        keys = try decoder.container(keyedBy: Name.self).decode([Member].self, forKey: .keys).compactMap(\.key)
    }

    private enum Name: String, CodingKey {
        case keys
    }

    private struct Member: Decodable {
        let key: JSONWebKey?

        init(from decoder: any Decoder) throws {
            key = try? JSONWebKey(from: decoder)
        }
    }

    /// The set of these keys, as `/oauth/jwks` answers it.
    public static func json(_ keys: [PublicKey]) -> [UInt8] {
        var writer = JSONWriter()
        writer.member("keys", objects: keys.map(\.jwk))
        return writer.finish()
    }
}
