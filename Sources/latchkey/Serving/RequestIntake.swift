import Logging
import NIOCore
import NIOHTTP1
import OAuthServer

/// Lets requests in: in time, not too many at once, and none after a connection's last answer.
///
/// A client that is cut is told so with 408, unless an answer is under way; while an earlier request of the same connection
/// is at work, nobody is cut. The timer is set at most once in the time that a request has, so that an ordinary request
/// costs a reading of the clock.
///
/// A client that waits for leave to send its body is given it (RFC 9110 §10.1.1), unless the body is announced too large.
///
/// One whose header says too little is refused (`HTTPRequestHead.refusal`).
///
/// One that takes next to nothing of its answers is let go, and nothing is heard behind a request to switch the protocol.
///
/// What comes while too many requests are at work is told at once to come again: 503, before anything else is spent on it.
/// Those that were let in are answered as fast as ever then, where all would wait longer and longer.
///
/// When the server ends, so does each connection with its next answer; a client that takes it slowly gets all of it, and
/// one that sends more in the meantime is not cut off from it by a reset (RFC 9112 §9.6).
///
/// It stands behind the decoder, where all that came is still to be seen: `IntakeSeat` puts it there.
final class RequestIntake: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private let workLimit: Int
    private let bodyLimit: Int
    private let connections: OpenConnections
    private let drain: Drain
    private let metrics: Metrics
    private let logger: Logger
    private let wire = Wire()
    private let closing: LingeringClose
    private var arrival: Arrival
    private var timer: Scheduled<Void>?
    /// When a client is let go that takes too little of its answers.
    private var taking: Scheduled<Void>?
    private var work: Workload
    /// Whether the request whose header came last is still being read.
    private var isReading = false
    private var isAnswering = false
    /// What is to become of the connection.
    private var option: HTTPRequestHead.ConnectionOption?
    /// Whether the answer that is under way is the connection's last one.
    private var isLast = false
    private var isDeaf = false
    /// Whether the client waits for leave to send the body of the newest request.
    private var awaitsLeave = false
    /// The method of the request that is being read, when it is one too many.
    private var shedding: HTTPMethod?
    /// What a request is to be told that is refused unread, and its method.
    private var refusal: (answer: EarlyAnswer, method: HTTPMethod)?

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
        self.workLimit = workLimit
        self.bodyLimit = bodyLimit
        self.connections = connections
        self.drain = drain
        self.metrics = metrics
        self.logger = logger
        closing = LingeringClose(wire)
        arrival = Arrival(limit: limit)
        work = Workload(in: connections)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        // Header that is still incomplete is seen by nobody behind the decoder.
        wire.arrived = { [unowned self] in arrived(context) }
        try? context.pipeline.syncOperations.addHandler(wire, position: .first)
        work.open(context.channel)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        timer = nil
        taking?.cancel()
        taking = nil
        closing.cancel()
        wire.arrived = {}
        work.close()
    }

    // MARK: What comes

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var data = data
        let part = unwrapInboundIn(data)
        // What is asked after the last answer has begun is not heard (RFC 9112 §9.6).
        if isLast || closing.hasBegun, case .head = part { isDeaf = true }
        guard !isDeaf else { return }
        switch part {
        case .head(var head):
            option = head.connectionOption
            if option == .close {
                // The framework knows this one spelling.
                head.headers.replaceOrAdd(name: "Connection", value: "close")
                data = wrapInboundOut(.head(head))
            }
            // The next request may lie in the same bytes as the end of the last one.
            arrived(context)
            isReading = true
            work.takeHeader()
            if let answer = head.refusal {
                refusal = (answer, head.method)
                isDeaf = true
                return refuseUnread(context)
            }
            // Those before it on the same connection are owed their answers first.
            let isTooMany = work.unanswered == 1 && connections.atWork >= workLimit && !head.isProbe
            if isTooMany, head.awaitsLeave {
                isDeaf = true
                isLast = true
                return shed(context, head.method)
            }
            shedding = isTooMany ? head.method : nil
            awaitsLeave = head.awaitsLeave && head.announcedLength ?? 0 <= bodyLimit
            giveLeave(context)
        case .body: awaitsLeave = false
        case .end:
            awaitsLeave = false
            isReading = false
            arrival.end()
            work.takeEnd()
            if option == .close {
                // Nothing behind it is heard (RFC 9112 §9.6), or kept by a decoder that has stopped.
                isDeaf = true
                wire.isDeaf = true
            }
            if let method = shedding {
                shedding = nil
                return shed(context, method)
            }
        }
        if shedding == nil { context.fireChannelRead(data) }
    }

    /// What comes while a connection ends is read and thrown away: behind it nobody asks for more.
    func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        if closing.hasBegun { context.read() }
    }

    /// A client that has gone and waits for no answer need not be noticed at once.
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .inputClosed? = event as? ChannelEvent, !arrival.isUnderWay, work.unanswered == 0 else {
            return context.fireUserInboundEventTriggered(event)
        }
        connections.farewells(on: context.eventLoop).add(context)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? HTTPParserError {
            // What comes behind a request that was refused unread is not answered either.
            guard !isDeaf else { return }
            isDeaf = true
            wire.isDeaf = true
            arrival.end()
            // A client that leaves in the middle of a request is no news.
            if error != .invalidEOFState { metrics.count(.malformed) }
            if hasBeenAnswered {
                context.close(promise: nil)
                // Whoever still reads the body must not take what came of it for all.
                return context.fireErrorCaught(error)
            }
            // Whoever answers it, without its body perhaps, gives the connection's last answer.
            if isReading || work.unanswered == 0 { isLast = true }
        }
        context.fireErrorCaught(error)
    }

    // MARK: What is answered

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard !closing.hasBegun else {
            promise?.fail(ChannelError.alreadyClosed)
            return
        }
        switch unwrapOutboundIn(data) {
        case .head(var head):
            isAnswering = head.status.code >= 200
            // Pipelined requests are all owed an answer before.
            guard isAnswering, work.unanswered <= 1 else { break }
            if drain.isOn || connections.takesRoom() { isLast = true }
            // The framework ends the connection, a moment later: whoever is not told would send the next request into it.
            let said: HTTPRequestHead.ConnectionOption? = isLast ? .close : option
            // Whoever ends it after an answer has said so.
            guard let said, said == .close || !head.headers.contains(name: "Connection") else { break }
            head.headers.replaceOrAdd(name: "Connection", value: said.rawValue)
            context.write(wrapOutboundOut(.head(head)), promise: promise)
            return
        case .body: break
        case .end:
            isAnswering = false
            work.answer()
            // The framework goes without reading the rest of the body, which a closed socket would answer with a reset.
            if option == .close, hasBeenAnswered {
                isLast = true
                isDeaf = true
            }
            if isLast, work.unanswered <= 0 {
                context.writeAndFlush(data, promise: promise)
                closing.closeAfterClient(context)
                context.read()
                return
            }
            context.write(data, promise: promise)
            giveLeave(context)
            refuseUnread(context)
            return
        }
        context.write(data, promise: promise)
    }

    /// Closes at once, but while the server ends only when the client has taken what was written, for some seconds.
    ///
    /// Its own half closes once all is written: for a client that has closed the other one the channel would close as a whole.
    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode != .output else { return wire.whenWritten { context.close(mode: mode, promise: promise) } }
        guard drain.isOn, mode == .all else { return context.close(mode: mode, promise: promise) }
        context.channel.closeFuture.cascade(to: promise)
        closing.closeOnceTaken(context)
    }

    /// Tells a client that waits for it to send its body, once those requests are answered that came before.
    private func giveLeave(_ context: ChannelHandlerContext) {
        guard awaitsLeave, work.unanswered == 1 else { return }
        awaitsLeave = false
        let leave = HTTPResponseHead(version: .http1_1, status: .continue)
        context.writeAndFlush(wrapOutboundOut(.head(leave)), promise: nil)
    }

    /// Answers that there is too much to do; the connection stays, unless its client has said that it is the last request,
    /// or takes no answers.
    private func shed(_ context: ChannelHandlerContext, _ method: HTTPMethod) {
        guard context.channel.isWritable else { return context.close(promise: nil) }
        // The framework, which has not seen the request, does not end the connection.
        if option == .close { isLast = true }
        metrics.countShed(to: logger)
        answer(context, .oneTooMany, hasBody: method != .HEAD)
    }

    /// Tells a client why its request is refused, once those requests are answered that came before, and ends the
    /// connection: nothing else that it sends is believed.
    private func refuseUnread(_ context: ChannelHandlerContext) {
        guard let (answer, method) = refusal, work.unanswered == 1 else { return }
        refusal = nil
        isLast = true
        metrics.count(.malformed)
        self.answer(context, answer, hasBody: method != .HEAD)
    }

    private func answer(_ context: ChannelHandlerContext, _ answer: EarlyAnswer, hasBody: Bool = true) {
        // By the way that every answer takes, which counts them.
        write(context: context, data: wrapOutboundOut(.head(answer.head)), promise: nil)
        if hasBody { write(context: context, data: wrapOutboundOut(.body(.byteBuffer(answer.body))), promise: nil) }
        write(context: context, data: wrapOutboundOut(.end(nil)), promise: nil)
        context.flush()
    }

    // MARK: What comes too late

    /// Lets a client go that makes no room for its answers for four times as long as a request may take to arrive: what it has
    /// asked for would count as being at work for ever.
    func channelWritabilityChanged(context: ChannelHandlerContext) {
        taking?.cancel()
        taking = nil
        if !context.channel.isWritable {
            taking = context.eventLoop.assumeIsolated().scheduleTask(in: arrival.limit * 4) {
                context.close(promise: nil)
            }
        }
        context.fireChannelWritabilityChanged()
    }

    /// Whether the request that is being read has its answer: whoever answered did not wait for its body.
    private var hasBeenAnswered: Bool { isReading && work.unanswered <= 0 }

    private func arrived(_ context: ChannelHandlerContext) {
        guard !arrival.isUnderWay else { return }
        let deadline = arrival.begin()
        work.isSpokenTo()
        if timer == nil { setTimer(context, deadline) }
    }

    private func setTimer(_ context: ChannelHandlerContext, _ deadline: NIODeadline) {
        timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { [unowned self] in
            timer = nil
            guard !closing.hasBegun else { return }
            switch arrival.finding(at: .now(), isAtWork: work.isAtWork) {
            case .nothing: break
            case .lookAgain(let later): setTimer(context, later)
            case .endIt: refuse(context)
            }
        }
    }

    private func refuse(_ context: ChannelHandlerContext) {
        metrics.count(.late)
        // An answer that is under way is to the late request itself, before it was here in full.
        if !isAnswering, !hasBeenAnswered { answer(context, .late(arrival.limit)) }
        context.close(promise: nil)
    }
}
