import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1

extension HTTPClient {
    /// The body of what is at `url`.
    /// - Throws: `FetchError` for a status other than 200; the client's errors for anything longer or slower than allowed.
    func bytes(at url: String, deadline: NIODeadline) async throws -> Data {
        var request = HTTPClientRequest(url: url)
        request.headers.add(name: "accept", value: "application/json")
        return try await bytes(of: request, deadline: deadline)
    }

    /// The body of the answer to a form.
    /// - Throws: as above.
    func bytes(
        posting form: String,
        to url: String,
        user: String,
        password: String,
        deadline: NIODeadline
    ) async throws -> Data {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers.add(name: "accept", value: "application/json")
        request.headers.add(name: "content-type", value: "application/x-www-form-urlencoded")
        request.setBasicAuth(username: user, password: password)
        request.body = .bytes(ByteBuffer(string: form))
        return try await bytes(of: request, deadline: deadline)
    }

    private func bytes(of request: HTTPClientRequest, deadline: NIODeadline) async throws -> Data {
        try await withThrowingTaskGroup(of: Data.self) { group in
            group.addTask {
                let response = try await self.execute(request, deadline: deadline)
                guard response.status == .ok else {
                    throw FetchError(
                        status: Int(response.status.code),
                        retryAfter: response.headers.first(name: "retry-after").flatMap { Int($0) }
                    )
                }
                return Data(try await response.body.collect(upTo: 64 * 1024).readableBytesView)
            }
            // The client's own deadline does not count the time that a body takes.
            group.addTask {
                try await _Concurrency.Task.sleep(for: Duration(deadline - NIODeadline.now()))
                throw HTTPClientError.deadlineExceeded
            }
            defer { group.cancelAll() }
            guard let bytes = try await group.next() else { throw CancellationError() }
            return bytes
        }
    }
}

/// An answer other than 200.
struct FetchError: Error {
    let status: Int
    /// `Retry-After`, in seconds.
    let retryAfter: Int?
}
