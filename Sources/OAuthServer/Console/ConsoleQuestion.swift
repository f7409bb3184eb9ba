import HTTPTypes
import Hummingbird
import OAuth
import OAuthStore

/// What is about to happen, and the form that does it: the page before anything that cuts or hands out a secret.
struct ConsoleQuestion: Sendable {
    let heading: String
    let area: ConsoleArea
    let trail: [ConsoleLink]
    /// What will happen, in sentences; the first one stands out.
    let consequences: [String]
    let button: String
    /// Where Cancel leads.
    let cancel: String
    /// Whether the password must have been proved a moment ago.
    var needsProof = false
    /// Whether the form counts once, however often it is sent.
    var isOnce = false
    var style = ConsoleForm.Style.danger
    var fields: [ConsoleField] = []
}

extension Provider {
    /// Shows what is about to happen, with what was wrong with the last try.
    func show(
        _ question: ConsoleQuestion,
        _ visit: ConsoleVisit,
        problem: String? = nil,
        wrongField: String? = nil,
        status: HTTPResponse.Status = .ok
    ) -> Response {
        var page = ConsolePage(question.heading, area: question.area, trail: question.trail)
        if let first = question.consequences.first {
            let tone = question.style == .danger ? ConsoleBadge.Tone.caution : .quiet
            page.add(.notice(tone, first, Array(question.consequences.dropFirst())))
        }
        var form = ConsoleForm(visit.path, button: question.button, style: question.style)
        form.fields = question.fields + (question.needsProof ? proofFields(visit) : [])
        if question.isOnce { form.hidden.append(once()) }
        form.cancel = question.cancel
        (form.problem, form.wrongField) = (problem, wrongField)
        page.add(.form(form))
        return show(page, visit, status: status)
    }

    /// Shows what is about to happen; does it when that is answered, the password is proved where it must be, and only once
    /// where it counts once.
    func ask(
        _ question: ConsoleQuestion,
        _ visit: ConsoleVisit,
        then act: () async throws -> Response
    ) async throws -> Response {
        guard visit.isAnswer else { return show(question, visit) }
        func actOnce() async throws -> Response {
            guard question.isOnce, try await !isFirst(visit) else { return try await act() }
            return alreadySent(visit, question.area, question.trail)
        }
        guard question.needsProof else { return try await actOnce() }
        return try await proved(visit) { refusal in
            show(question, visit, problem: refusal.problem, wrongField: refusal.field, status: refusal.status)
        } then: {
            try await actOnce()
        }
    }

    /// Does something dangerous once the password is proved; `refused` shows the form again with what was wrong.
    func proved(
        _ visit: ConsoleVisit,
        refused: (PasswordRefusal) -> Response,
        then act: () async throws -> Response
    ) async throws -> Response {
        switch try await proof(visit) {
        case .refused(let refusal):
            return refused(refusal).retrying(after: refusal.wait)
        case .given(cookie: nil):
            return try await act()
        case .given(let cookie?):
            // Whatever comes of it: the session goes on under the new cookie only.
            var response = await showing(visit.caller.request, visit.caller.context) { _, _ in try await act() }
            response.headers[values: .setCookie].append(cookie)
            return response
        }
    }

    /// The number by which a form counts once.
    func once() -> (name: String, value: String) { ("once", Base64URL.encode(ambient.random(16))) }

    /// Whether a form that counts once has not been sent before.
    func isFirst(_ visit: ConsoleVisit) async throws -> Bool {
        guard let number = Base64URL.decode(visit.form["once"] ?? ""), number.count == 16 else { return false }
        return try await store.takeSubmission(visit.session.id + number, now: visit.now)
    }

    /// A form that came a second time, because its answer was loaded again.
    func alreadySent(_ visit: ConsoleVisit, _ area: ConsoleArea, _ trail: [ConsoleLink]) -> Response {
        var page = ConsolePage("This was sent already", area: area, trail: trail)
        page.add(
            .notice(
                .quiet,
                "The form was sent before, and nothing was done now.",
                [
                    Self.madeBefore(in: area),
                    "If it was answered by an error, nothing may have been made: open the form anew, and send that.",
                ]
            ),
            .links([ConsoleLink("Go on", trail.last?.path ?? area.path)])
        )
        return show(page, visit, status: .conflict)
    }

    /// What became of what the first form made, and what to do when nobody has seen it.
    private static func madeBefore(in area: ConsoleArea) -> String {
        let list = "What it made is in the list."
        return switch area {
        case .clients: "\(list) A secret is shown once only: if it was not kept, give the connection a new one."
        case .apiKeys: "\(list) A key is shown once only: if it was not kept, make another one and revoke this one."
        default: "\(list) Look there before you send it again."
        }
    }
}
