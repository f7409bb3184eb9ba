import HTTPTypes
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import OAuth
import OAuthServer

/// Lets requests in: in time, not too many at once, and none after a connection's last answer.
///
/// A connection whose request does not arrive in full within a time, however steadily it trickles, is ended (CWE-400).
/// Header and body count together, from the request's first byte. A client that is cut is told so with 408, unless an
/// answer is under way. The timer is set at most once in that time, so that an ordinary request costs a reading of the
/// clock; while an earlier request of the same connection is at work, nobody is cut.
///
/// A client that waits for leave to send its body is given it (RFC 9110 §10.1.1), unless the body is announced too large.
///
/// What comes while too many requests are at work is told at once to come again: 503, before anything else is spent on it.
/// Those that were let in are answered as fast as ever then, where all would wait longer and longer.
///
/// When the server ends, so does each connection with its next answer; a client that takes it slowly gets all of it, and
/// one that sends more in the meantime is not cut off from it by a reset (RFC 9112 §9.6).
final class RequestIntake: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let limit: TimeAmount
    private let workLimit: Int
    private let bodyLimit: Int
    private let connections: OpenConnections
    private var connection: OpenConnection?
    /// When the first byte came of the request that is being read; nil between requests.
    private var began: NIODeadline?
    private var timer: Scheduled<Void>?
    /// Requests whose header has come, and that are not answered yet.
    private var unanswered = 0
    /// Those of them that have come in full: they are at work.
    private var atWork = 0
    private var isAnswering = false
    private let drain: Drain
    private let wire = Wire()
    private let metrics: Metrics
    private let logger: Logger
    /// Whether the client has said that it sends nothing more (RFC 9112 §9.6).
    private var isClosing = false
    /// Whether the answer that is under way is the connection's last one.
    private var isLast = false
    private var isDeaf = false
    /// Whether the client waits for leave to send the body of the newest request.
    private var awaitsLeave = false
    /// The method of the request that is being read, when it is one too many.
    private var shedding: HTTPRequest.Method?
    /// Whether the connection ends once its client has taken what was written.
    private var isEnding = false
    private var end: Scheduled<Void>?

    /// When somebody who was one too many shall come again.
    private static let comeAgain = Duration.seconds(1)
    /// How long a client may take for that once the server waits for nothing else.
    private static let lastBytesLimit = TimeAmount.seconds(10)
    /// How long a client may keep a connection that was ended from this side.
    private static let lingerLimit = TimeAmount.seconds(5)

    /// - Parameters:
    ///   - limit: how long a request may take to arrive.
    ///   - workLimit: how many requests of all connections may be at work.
    ///   - bodyLimit: how large a body may be, in bytes.
    ///   - connections: where this one is counted.
    ///   - drain: whether connections are to be ended after their next answer.
    ///   - metrics: counts the requests that are ended here, or by the decoder.
    ///   - logger: is told when requests are one too many.
    init(
        limit: TimeAmount,
        workLimit: Int,
        bodyLimit: Int,
        connections: OpenConnections,
        drain: Drain,
        metrics: Metrics,
        logger: Logger
    ) {
        self.limit = limit
        self.workLimit = workLimit
        self.bodyLimit = bodyLimit
        self.logger = logger
        self.connections = connections
        self.drain = drain
        self.metrics = metrics
    }

    func handlerAdded(context: ChannelHandlerContext) {
        // Header that is still incomplete is seen by nobody behind the decoder.
        wire.arrived = { [unowned self] in arrived(context) }
        try? context.pipeline.syncOperations.addHandler(wire, position: .first)
        let connection = OpenConnection(context.channel)
        self.connection = connection
        connections.add(connection)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        timer = nil
        end?.cancel()
        end = nil
        wire.arrived = {}
        restFromWork()
        if let connection { connections.remove(connection) }
        connection = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var data = data
        let part = unwrapInboundIn(data)
        // What is asked after the last answer has begun is not heard (RFC 9112 §9.6).
        if isLast || isEnding, case .head = part { isDeaf = true }
        guard !isDeaf else { return }
        switch part {
        case .head(var head):
            isClosing = Self.closes(head)
            if isClosing {
                // The framework knows this one spelling.
                head.headerFields[.connection] = "close"
                data = wrapInboundOut(.head(head))
            }
            // The next request may lie in the same bytes as the end of the last one.
            arrived(context)
            unanswered += 1
            // Those before it on the same connection are owed their answers first.
            let isTooMany = unanswered == 1 && connections.atWork >= workLimit && !Self.isAlwaysHeard(head)
            shedding = isTooMany ? head.method : nil
            awaitsLeave = awaitsLeave(head)
            giveLeave(context)
        case .body: awaitsLeave = false
        case .end:
            awaitsLeave = false
            began = nil
            if unanswered > 0 { beginWork() }
            if let method = shedding {
                shedding = nil
                return shed(context, method)
            }
        }
        if shedding == nil { context.fireChannelRead(data) }
    }

    /// Whether a request is its connection's last one, in any spelling (RFC 9110 §7.6.1).
    private static func closes(_ head: HTTPRequest) -> Bool {
        guard let options = head.headerFields[.connection] else { return false }
        return options == "close"
            || options.lowercased().split(separator: ",").contains { $0.filter { $0 != " " && $0 != "\t" } == "close" }
    }

    private func awaitsLeave(_ head: HTTPRequest) -> Bool {
        guard let expected = head.headerFields[.expect] else { return false }
        return expected.lowercased() == "100-continue"
            && head.headerFields[.contentLength].flatMap { Int($0) } ?? 0 <= bodyLimit
    }

    /// Tells a client that waits for it to send its body, once those requests are answered that came before.
    private func giveLeave(_ context: ChannelHandlerContext) {
        guard awaitsLeave, unanswered == 1 else { return }
        awaitsLeave = false
        context.writeAndFlush(wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
    }

    /// A client that has gone and waits for no answer need not be noticed at once.
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .inputClosed? = event as? ChannelEvent, began == nil, unanswered == 0 else {
            return context.fireUserInboundEventTriggered(event)
        }
        connections.farewells(on: context.eventLoop).add(context)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A client that leaves in the middle of a request is no news.
        if let error = error as? HTTPParserError, error != .invalidEOFState { metrics.count(.malformed) }
        context.fireErrorCaught(error)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var head):
            isAnswering = head.status.kind != .informational
            // Pipelined requests are all owed an answer before.
            if drain.isOn, isAnswering, unanswered <= 1 {
                isLast = true
                head.headerFields[.connection] = "close"
                context.write(wrapOutboundOut(.head(head)), promise: promise)
                return
            }
            // The framework ends the connection, a moment later: whoever is not told would send the next request into it.
            if isClosing, isAnswering, unanswered <= 1 {
                head.headerFields[.connection] = "close"
                context.write(wrapOutboundOut(.head(head)), promise: promise)
                return
            }
        case .body: break
        case .end:
            isAnswering = false
            unanswered -= 1
            endWork()
            if isLast, unanswered <= 0 {
                context.writeAndFlush(data, promise: promise)
                endOnceTaken(context)
                return
            }
            context.write(data, promise: promise)
            giveLeave(context)
            return
        }
        context.write(data, promise: promise)
    }

    /// Closes at once, but while the server ends only when the client has taken what was written, for some seconds.
    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard drain.isOn, mode == .all else { return context.close(mode: mode, promise: promise) }
        context.channel.closeFuture.cascade(to: promise)
        close(context, in: Self.lastBytesLimit)
        guard !isEnding else { return }
        isEnding = true
        // To close drops whatever the socket has not taken yet.
        wire.whenWritten { context.close(promise: nil) }
    }

    /// Says that nothing more is sent once all is, and closes when the client does: whatever reaches a closed socket is
    /// answered with a reset, which takes the last answer away from a client that has not read it yet.
    private func endOnceTaken(_ context: ChannelHandlerContext) {
        guard !isEnding else { return }
        isEnding = true
        wire.whenWritten { [self] in
            guard context.channel.isActive else { return }
            context.close(mode: .output, promise: nil)
            close(context, in: Self.lingerLimit)
        }
    }

    private func close(_ context: ChannelHandlerContext, in time: TimeAmount) {
        guard end == nil else { return }
        end = context.eventLoop.assumeIsolated().scheduleTask(in: time) { context.close(promise: nil) }
    }

    private func arrived(_ context: ChannelHandlerContext) {
        guard began == nil else { return }
        let now = NIODeadline.now()
        began = now
        if atWork == 0 { restFromWork() }
        if timer == nil { setTimer(context, now + limit) }
    }

    private func setTimer(_ context: ChannelHandlerContext, _ deadline: NIODeadline) {
        timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { [unowned self] in
            timer = nil
            guard let began, !isEnding else { return }
            let now = NIODeadline.now()
            if atWork > 0 {
                // An earlier request is owed its answer, and its client may well wait for that.
                setTimer(context, now + limit)
            } else if now >= began + limit {
                refuse(context)
            } else {
                setTimer(context, began + limit)
            }
        }
    }

    private func refuse(_ context: ChannelHandlerContext) {
        metrics.count(.late)
        // An answer that is under way is to the late request itself, before it was here in full.
        if !isAnswering {
            let seconds = limit.nanoseconds / 1_000_000_000
            let error = OAuthError(.invalidRequest, "the request did not arrive in full within \(seconds) seconds")
            answer(context, .requestTimeout, error, [.connection: "close"])
        }
        context.close(promise: nil)
    }

    /// Answers that there is too much to do; the connection stays, unless its client has said that it is the last request.
    private func shed(_ context: ChannelHandlerContext, _ method: HTTPRequest.Method) {
        // The framework, which has not seen the request, does not end the connection.
        if isClosing { isLast = true }
        metrics.countShed(to: logger)
        let error = OAuthError(
            .temporarilyUnavailable,
            "the server has more requests than it can answer soon; try again",
            retryAfter: Self.comeAgain
        )
        let further: HTTPFields = [.retryAfter: "\(Self.comeAgain.components.seconds)"]
        answer(context, .serviceUnavailable, error, further, hasBody: method != .head)
    }

    /// Whether whoever watches over the server asks.
    private static func isAlwaysHeard(_ head: HTTPRequest) -> Bool {
        guard head.method == .get || head.method == .head, let target = head.path else { return false }
        // A query is the caller's own word, and lets nobody in.
        let path = target.prefix { $0 != "?" }
        return ["/healthz", "/readyz", "/metrics"].contains { path.hasSuffix($0) }
    }

    private func answer(
        _ context: ChannelHandlerContext,
        _ status: HTTPResponse.Status,
        _ error: OAuthError,
        _ further: HTTPFields,
        hasBody: Bool = true
    ) {
        let body = ErrorShape.standard.json(error)
        var fields: HTTPFields = [
            .contentType: "application/json", .contentLength: String(body.count), .cacheControl: "no-store",
        ]
        fields.append(contentsOf: further)
        let head = HTTPResponse(status: status, headerFields: fields)
        // By the way that every answer takes, which counts them.
        write(context: context, data: wrapOutboundOut(.head(head)), promise: nil)
        if hasBody { write(context: context, data: wrapOutboundOut(.body(ByteBuffer(bytes: body))), promise: nil) }
        write(context: context, data: wrapOutboundOut(.end(nil)), promise: nil)
        context.flush()
    }

    private func beginWork() {
        atWork += 1
        if connection?.hasRequest() == true { connections.workBegan() }
    }

    /// An answer has been written: to the oldest request, which may not even have come in full.
    private func endWork() {
        if atWork > 0 { atWork -= 1 }
        if atWork == 0 { restFromWork() }
    }

    private func restFromWork() {
        if connection?.beginsToWait() == true { connections.workEnded() }
    }
}

/// The end of the pipeline at the socket: it tells of bytes before they are decoded, and when those that were encoded are
/// written.
private final class Wire: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    var arrived: () -> Void = {}
    private var context: ChannelHandlerContext?

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        arrived()
        context.fireChannelRead(data)
    }

    /// Does something once the socket has taken all that was written so far, or has failed.
    func whenWritten(_ done: @escaping () -> Void) {
        guard let context else { return done() }
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { _ in done() }
        // Writes are completed in their order, one of nothing too.
        context.writeAndFlush(NIOAny(ByteBuffer()), promise: written)
    }
}
