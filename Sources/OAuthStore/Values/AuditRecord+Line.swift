import FoundationEssentials
import OAuth

/// An entry of the audit trail as it is taken along: one line of JSON Lines.
extension AuditRecord {
    /// The entry as one JSON object, its members by their names, with the end of the line.
    public var line: [UInt8] {
        var who = JSONWriter()
        who.member("id", actor)
        who.member("kind", actorKind)
        if let actorName { who.member("name", actorName) } else { who.member("name", object: Self.null) }
        var entry = JSONWriter()
        entry.member("action", action)
        entry.member("actor", object: who.finish())
        Self.write(after, as: "after", to: &entry)
        entry.member("at", at.rfc3339)
        Self.write(before, as: "before", to: &entry)
        entry.member("number", number)
        entry.member("subject", subject)
        return entry.finish() + [UInt8(ascii: "\n")]
    }

    private static let null = Array("null".utf8)

    /// Writes a state, which is JSON already; what is damaged stands as a text, so that the line stays JSON.
    private static func write(_ state: String?, as name: StaticString, to entry: inout JSONWriter) {
        guard let state else { return entry.member(name, object: null) }
        let isJSON = (try? JSONDecoder().decode(AnyJSON.self, from: Data(state.utf8))) != nil
        if isJSON { entry.member(name, object: Array(state.utf8)) } else { entry.member(name, state) }
    }

    /// Whatever is JSON.
    private struct AnyJSON: Decodable {
        init(from decoder: any Decoder) {}
    }
}
