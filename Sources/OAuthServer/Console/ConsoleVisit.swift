import HTTPTypes
import Hummingbird
import NIOCore
import OAuth
import OAuthStore

/// One request to the console, before anybody has looked who it is.
struct ConsoleCaller: Sendable {
    let request: Request
    let context: DoorContext
    let query: Form
    /// What was posted; empty for a GET.
    let form: Form
    /// The session of its cookie, if that is a live one.
    let session: OperatorSession?
    let now: Instant
}

/// One request of an operator who is signed in and may do this.
struct ConsoleVisit: Sendable {
    let route: ConsoleRoute
    let caller: ConsoleCaller
    let session: OperatorSession

    var now: Instant { caller.now }
    var form: Form { caller.form }
    var query: Form { caller.query }
    /// Who does it, for the audit trail.
    var actor: Actor { session.account.actor }
    /// Whether buttons that change something make sense.
    var mayChange: Bool { session.account.role == .full }

    /// The part of the path that a route calls `:id`.
    var id: String { caller.context.parameters.get("id") ?? "" }

    /// Where the visit is, below `/console`.
    var path: String { route.path.replacing(":id", with: id) }

    /// Whether something was sent that is to be done, after the page that asks for it.
    var isAnswer: Bool { caller.request.method == .post }

    /// Whether the password was proved a moment ago (ASVS 7.5.3).
    var isFresh: Bool { now - session.provedAt < Self.freshFor }

    /// How long a proof of the password covers what is dangerous.
    static let freshFor = Duration.minutes(5)
}

extension Provider {
    /// A page of the console, with its menu, and with what was done just before.
    func show(_ page: ConsolePage, _ visit: ConsoleVisit, status: HTTPResponse.Status = .ok) -> Response {
        var page = page
        let said = Cookies.said.value(visit.caller.request, settings.issuer)
        page.frame = ConsoleFrame(
            account: visit.session.account,
            token: console.seal.token(of: visit.session),
            flash: said.flatMap { console.seal.flash($0, of: visit.session) }
        )
        page.mayChange = visit.mayChange
        var response = self.page(page, status: status, language: .english)
        if said != nil {
            response.headers[values: .setCookie].append(
                Cookies.said.header("", issuer: settings.issuer, lifetime: .zero)
            )
        }
        return response
    }

    /// Leads on to another page of the console, which says what was done.
    ///
    /// What is said travels in a sealed cookie, and is bound to the session: never in the URL, and never a secret.
    func redirect(_ visit: ConsoleVisit, to path: String, saying flash: ConsoleFlash? = nil) throws -> Response {
        var response = redirect(to: settings.issuer.path + Paths.console + path)
        if let flash {
            let text = try console.seal.seal(flash, of: visit.session, id: ambient.random(16))
            response.headers[values: .setCookie].append(
                Cookies.said.header(text, issuer: settings.issuer, lifetime: .minutes(1))
            )
        }
        return response
    }

    /// What there is to say when something is not there, or no longer.
    func missing(_ what: String, _ area: ConsoleArea) -> PageRefusal {
        PageRefusal(
            problem: .other(
                title: "There is no such \(what)",
                what: "It may have been deleted by somebody else, or the address is not right.",
                next: "Go back to the list and look for it there."
            ),
            error: OAuthError(.invalidRequest, "there is no such \(what)"),
            status: .notFound,
            back: .local(Paths.console + area.path)
        )
    }
}
