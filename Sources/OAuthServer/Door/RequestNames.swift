import Hummingbird
import Logging

/// The names that a trusted proxy gives a request: its id, and the trace that it is a part of.
extension Provider {
    /// The context under the proxy's names; nil when no trusted proxy gives any, as nearly always without one.
    ///
    /// From others they are not taken: whoever could choose an id could write under the ids of others' requests.
    func named(_ context: DoorContext, by request: Request) -> DoorContext? {
        guard !settings.trustedProxies.isEmpty else { return nil }
        let id = request.headers[.requestID].flatMap { RequestNames.isRequestID($0) ? $0 : nil }
        // Where requests are traced, their span names the trace.
        let trace = tracer == nil ? request.headers[.traceParent].flatMap { TraceIdentity($0)?.trace } : nil
        guard id != nil || trace != nil, isTrusted(context.peer) else { return nil }
        var named = context
        if let id { named.logger[metadataKey: RequestNames.idKey] = "\(id)" }
        if let trace { named.logger[metadataKey: RequestNames.traceKey] = "\(trace)" }
        return named
    }

    /// Whether the other end of a connection is one of the trusted proxies.
    func isTrusted(_ peer: String?) -> Bool {
        guard !settings.trustedProxies.isEmpty, let peer = peer.flatMap({ IPAddress($0) }) else { return false }
        return settings.trustedProxies.contains { $0.contains(peer) }
    }
}

/// What such names look like.
enum RequestNames {
    /// Under which Hummingbird keeps a request's id.
    static let idKey = "hb.request.id"
    static let traceKey = "trace_id"

    /// Whether a text can be a request's id: 8 to 64 letters, digits, dots, hyphens and underscores.
    static func isRequestID(_ text: String) -> Bool {
        (8...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }
}
