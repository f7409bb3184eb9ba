/// How the token endpoint words a refusal to a partner (RFC 6749 §5.2): codes, statuses and members.
///
/// What is no verdict on the request stays what it is: `server_error`, `temporarily_unavailable` and `slow_down`.
public struct ErrorShape: Sendable, Equatable {
    /// What a member says.
    public enum Value: String, Sendable, CaseIterable {
        /// The code.
        case error
        /// The sentence.
        case description
    }

    private let codes: [OAuthError.Code: OAuthError.Code]
    private let statuses: [OAuthError.Code: Int]
    private let members: [(key: JSONWriter.Key, value: Value)]

    /// RFC 6749 §5.2 as it is.
    public static let standard = ErrorShape(
        codes: [:],
        statuses: [:],
        members: [(JSONWriter.Key("error"), .error), (JSONWriter.Key("error_description"), .description)]
    )

    private init(
        codes: [OAuthError.Code: OAuthError.Code],
        statuses: [OAuthError.Code: Int],
        members: [(key: JSONWriter.Key, value: Value)]
    ) {
        self.codes = codes
        self.statuses = statuses
        self.members = members
    }

    init(_ node: ProfileNode) throws(ProfileFault) {
        let shape = try node.members(["codes", "status", "members"])
        func code(_ name: String, _ place: ProfileNode) throws(ProfileFault) -> OAuthError.Code {
            guard let code = OAuthError.Code(rawValue: name), !Self.fixed.contains(code) else {
                throw place.fault("'\(name)' is not an error code that a profile may change")
            }
            return code
        }
        var codes: [OAuthError.Code: OAuthError.Code] = [:]
        for (name, value) in try shape["codes"]?.entries() ?? [] {
            codes[try code(name, value)] = try code(try value.text(), value)
        }
        var statuses: [OAuthError.Code: Int] = [:]
        for (name, value) in try shape["status"]?.entries() ?? [] {
            statuses[try code(name, value)] = Int(try value.integer(400...499, "an error's status"))
        }
        var members: [(key: JSONWriter.Key, value: Value)] = []
        for (name, value) in try shape["members"]?.entries() ?? [] {
            members.append((JSONWriter.Key(name), try value.choice("value of an error")))
        }
        if shape["members"] != nil, members.isEmpty { throw node.fault("members names no member") }
        self.init(codes: codes, statuses: statuses, members: members.isEmpty ? Self.standard.members : members)
    }

    /// The error as this partner is told it.
    public func worded(_ error: OAuthError) -> OAuthError {
        guard let code = codes[error.code] else { return error }
        return OAuthError(code, error.description, retryAfter: error.retryAfter)
    }

    /// The status of an error that has been worded.
    public func status(of error: OAuthError) -> Int {
        statuses[error.code] ?? error.code.status
    }

    /// The body of an error that has been worded.
    public func json(_ error: OAuthError) -> [UInt8] {
        var writer = JSONWriter()
        for (key, value) in members {
            switch value {
            case .error: writer.member(key, error.code.rawValue)
            case .description: writer.member(key, error.description)
            }
        }
        return writer.finish()
    }

    /// Whether both word every error alike.
    public static func == (left: Self, right: Self) -> Bool {
        left.codes == right.codes && left.statuses == right.statuses
            && left.members.elementsEqual(right.members) { $0.key == $1.key && $0.value == $1.value }
    }

    private static let fixed: [OAuthError.Code] = [.serverError, .temporarilyUnavailable, .slowDown]
}
