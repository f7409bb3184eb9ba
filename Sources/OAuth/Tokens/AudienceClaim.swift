/// The `aud` of a JWT or of an introspection answer: one text or an array of them (RFC 7519 §4.1.3, RFC 7662 §2.2).
public struct AudienceClaim: Sendable, Equatable, Decodable {
    /// Whom the token is for.
    public let values: [String]

    /// Reads either form.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let one = try? container.decode(String.self) {
            values = [one]
        } else {
            values = try container.decode([String].self)
        }
    }
}

extension JSONWriter {
    /// Writes `aud`: an audience that is alone stands without an array.
    mutating func audience(_ values: [String]) {
        if values.count == 1 { member("aud", values[0]) } else { member("aud", values) }
    }
}
