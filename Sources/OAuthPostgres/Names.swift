// The addresses behind the names of servers, without waiting for a name server that is silent.

import Dispatch
import Glibc
import OAuthStore
import Synchronization

/// Asks for the addresses of names, each on a thread of its own.
///
/// libpq would ask too, but in the thread that connects, which a silent name server holds up for half a minute. Here
/// whoever connects looks now and then whether an answer has come; while none does, the addresses of the last one are good.
final class Names: Sendable {
    /// Finds the addresses of a name, for as long as that takes.
    typealias Resolver = @Sendable (String) throws(SQLError) -> [String]

    private struct Known {
        /// What was answered last, and what was answered last that was good.
        var answer: Result<[String], SQLError>?
        var addresses: [String] = []
        var answers = 0
        var isAsked = false

        mutating func take(_ answer: Result<[String], SQLError>) {
            self.answer = answer
            if case .success(let addresses) = answer, !addresses.isEmpty { self.addresses = addresses }
            answers += 1
            isAsked = false
        }
    }

    private let known = Mutex<[String: Known]>([:])
    private let resolve: Resolver

    /// Asks the system, unless a test brings its own answers.
    init(_ resolve: @escaping Resolver = Names.system) {
        self.resolve = resolve
    }

    /// Begins to ask for a name, unless it is being asked for already.
    ///
    /// - Returns: how many answers there have been; the next one is this question's.
    func ask(_ name: String) -> Int {
        let (answers, begins) = known.withLock { known -> (Int, Bool) in
            let before = known[name, default: Known()]
            known[name, default: Known()].isAsked = true
            return (before.answers, !before.isAsked)
        }
        if begins {
            DispatchQueue(label: "latchkey.postgres.names").async { [self] in
                let answer = Result { () throws(SQLError) in try resolve(name) }
                known.withLock { $0[name, default: Known()].take(answer) }
            }
        }
        return answers
    }

    /// What was answered after so many answers; nil while nobody answers.
    func answer(to name: String, after count: Int) -> Result<[String], SQLError>? {
        known.withLock { known in
            guard let entry = known[name], entry.answers > count else { return nil }
            return entry.answer
        }
    }

    /// The addresses that the name had when they were last told; none before that.
    func lastAddresses(of name: String) -> [String] {
        known.withLock { $0[name]?.addresses ?? [] }
    }

    /// The name in a server's keywords that somebody has to look up; nil when there is none, but an address or a path.
    static func name(in keywords: [String: String]) -> String? {
        guard keywords["hostaddr"] == nil, let host = keywords["host"], !host.hasPrefix("/"), !host.hasPrefix("@")
        else { return nil }
        var place = in6_addr()
        let isAddress = inet_pton(AF_INET, host, &place) == 1 || inet_pton(AF_INET6, host, &place) == 1
        return isAddress ? nil : host
    }

    /// Asks the system's resolver.
    static let system: Resolver = { name throws(SQLError) in
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(name, nil, &hints, &list)
        defer { if let list { freeaddrinfo(list) } }
        guard status == 0 else {
            throw .unavailable("the address of \(name) is not known: \(String(cString: gai_strerror(status)))")
        }
        var addresses: [String] = []
        var next = list
        while let entry = next?.pointee {
            var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            let length = socklen_t(text.count)
            if getnameinfo(entry.ai_addr, entry.ai_addrlen, &text, length, nil, 0, NI_NUMERICHOST) == 0 {
                addresses.append(String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self))
            }
            next = entry.ai_next
        }
        return addresses
    }
}
