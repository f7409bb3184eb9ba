import Yams

/// A place in a profile's file: what stands there, and the keys that lead to it.
///
/// Every reader here turns YAML into a typed value or throws with the line, so that a profile which has been read
/// needs no further checks.
struct ProfileNode {
    private let node: Node
    /// The keys that lead here, with dots between them; empty at the top.
    let path: String

    init(_ node: Node, path: String = "") {
        self.node = node
        self.path = path
    }

    /// The line on which it begins, from 1.
    var line: Int? { node.mark?.line }

    /// What stands there, as it is written.
    var written: ProfileValue { ProfileValue(node) }

    /// An error about this place.
    func fault(_ sentence: String) -> ProfileFault {
        ProfileFault(line: line, reason: path.isEmpty ? sentence : "\(path): \(sentence)")
    }

    /// The members of a mapping that may have these keys and no others.
    func members(_ known: [String]) throws(ProfileFault) -> ProfileMembers {
        var members: [String: ProfileNode] = [:]
        for (name, value) in try entries() {
            guard known.contains(name) else {
                throw value.fault("has the unknown key '\(name)'; known are \(known.joined(separator: ", "))")
            }
            members[name] = value
        }
        return ProfileMembers(owner: self, members: members)
    }

    /// The members of a mapping whose keys are the author's own, in the file's order.
    func entries() throws(ProfileFault) -> [(name: String, value: ProfileNode)] {
        guard let mapping = node.mapping else { throw fault("must be a mapping of keys to values") }
        var entries: [(name: String, value: ProfileNode)] = []
        for (key, value) in mapping {
            guard let name = key.string else { throw fault("has a key that is no text") }
            entries.append((name, ProfileNode(value, path: path.isEmpty ? name : path + "." + name)))
        }
        return entries
    }

    /// The elements of a list.
    func list<Element>(
        _ read: (ProfileNode) throws(ProfileFault) -> Element
    ) throws(ProfileFault) -> [Element] {
        guard let sequence = node.sequence else { throw fault("must be a list") }
        var elements: [Element] = []
        for node in sequence { elements.append(try read(ProfileNode(node, path: path))) }
        return elements
    }

    /// A text that is not empty.
    func text() throws(ProfileFault) -> String {
        guard let text = node.scalar?.string, !text.isEmpty else { throw fault("must be a text") }
        return text
    }

    /// `true` or `false`.
    func flag() throws(ProfileFault) -> Bool {
        guard let flag = node.bool else { throw fault("must be true or false") }
        return flag
    }

    /// A whole number within `range`; `what` says so in words.
    func integer(_ range: ClosedRange<Int64>, _ what: String) throws(ProfileFault) -> Int64 {
        guard let number = node.scalar.flatMap({ Int64($0.string) }), range.contains(number) else {
            throw fault("\(what) must be \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// A number of seconds with up to three decimals, above zero and at most `limit`.
    func seconds(upTo limit: Int64) throws(ProfileFault) -> Duration {
        guard let seconds = node.float, seconds > 0, seconds <= Double(limit) else {
            throw fault("must be a number of seconds above 0 and at most \(limit)")
        }
        return .milliseconds(Int64((seconds * 1000).rounded()))
    }

    /// One of the names of a closed set.
    func choice<Choice: RawRepresentable & CaseIterable>(
        _ what: String
    ) throws(ProfileFault) -> Choice where Choice.RawValue == String {
        guard let text = node.scalar?.string else { throw fault("must be a \(what)") }
        do throws(RegistrationError) {
            return try Client.choice(text, what)
        } catch {
            throw fault(error.description)
        }
    }

    /// A value that another reader makes of the text, whose refusal gets this place's line.
    func value<Value>(_ make: (String) throws(RegistrationError) -> Value) throws(ProfileFault) -> Value {
        let text = try text()
        do throws(RegistrationError) {
            return try make(text)
        } catch {
            throw fault(error.description)
        }
    }
}

/// The members of a mapping.
struct ProfileMembers {
    fileprivate let owner: ProfileNode
    fileprivate let members: [String: ProfileNode]

    subscript(_ name: String) -> ProfileNode? { members[name] }

    /// The member of this name.
    func required(_ name: String) throws(ProfileFault) -> ProfileNode {
        guard let member = members[name] else { throw owner.fault("lacks the key '\(name)'") }
        return member
    }

    /// What `read` makes of the member of this name, nil when there is none.
    func optional<Value>(
        _ name: String,
        _ read: (ProfileNode) throws(ProfileFault) -> Value
    ) throws(ProfileFault) -> Value? {
        guard let member = members[name] else { return nil }
        return try read(member)
    }

    /// What `read` makes of each element of the list of this name, nil when there is none.
    func list<Element>(
        _ name: String,
        _ read: (ProfileNode) throws(ProfileFault) -> Element
    ) throws(ProfileFault) -> [Element]? {
        guard let member = members[name] else { return nil }
        return try member.list(read)
    }

    /// `true` or `false`.
    func flag(_ name: String) throws(ProfileFault) -> Bool? {
        guard let member = members[name] else { return nil }
        return try member.flag()
    }

    /// One of the names of a closed set.
    func choice<Choice: RawRepresentable & CaseIterable>(
        _ name: String,
        _ what: String
    ) throws(ProfileFault) -> Choice? where Choice.RawValue == String {
        guard let member = members[name] else { return nil }
        return try member.choice(what)
    }

    /// Several of the names of a closed set.
    func choices<Choice: RawRepresentable & CaseIterable & Hashable>(
        _ name: String,
        _ what: String
    ) throws(ProfileFault) -> Set<Choice>? where Choice.RawValue == String {
        guard let member = members[name] else { return nil }
        return Set(try member.list { element throws(ProfileFault) in try element.choice(what) })
    }

    /// Texts.
    func texts(_ name: String) throws(ProfileFault) -> [String]? {
        guard let member = members[name] else { return nil }
        return try member.list { element throws(ProfileFault) in try element.text() }
    }
}

/// What is wrong in a profile, and on which line.
struct ProfileFault: Error {
    let line: Int?
    let reason: String
}

/// A partner profile that cannot be used.
public struct PartnerProfileError: Error, CustomStringConvertible {
    let file: String
    let line: Int?
    let reason: String

    /// Makes an error about a file, and where known about a line of it.
    public init(file: String, line: Int? = nil, reason: String) {
        self.file = file
        self.line = line
        self.reason = reason
    }

    /// One sentence with the file's name and the line.
    public var description: String {
        guard let line else { return "the partner profile \(file) \(reason)" }
        return "the partner profile \(file) line \(line): \(reason)"
    }
}
