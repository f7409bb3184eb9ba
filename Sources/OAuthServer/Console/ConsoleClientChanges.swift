import HTTPTypes
import Hummingbird
import OAuth
import OAuthStore

/// What may be changed of an OAuth connection, and how it is undone.
extension Provider {
    /// Changes a registration, unless what comes out cannot be a client.
    ///
    /// It is checked inside the transaction, so that of two changes at once the second sees the first one's result.
    private func change(
        _ found: FoundClient,
        _ visit: ConsoleVisit,
        _ edit: @escaping @Sendable (inout ClientRegistration, Client) throws(RegistrationError) -> Void
    ) async throws -> RegistrationChange {
        let done = try await store.update(found.id, by: visit.actor, now: visit.now) {
            registration throws(RegistrationError) in
            let client = try self.node.loader.client(registration)
            try edit(&registration, client)
            _ = try self.node.loader.client(registration)
        }
        guard let done else { throw missing("OAuth connection", .clients) }
        await node.refresh()
        return done
    }

    /// A page that says why nothing was changed, with the form to mend where there is one.
    private func refused(
        _ problem: RegistrationError,
        _ found: FoundClient,
        _ visit: ConsoleVisit,
        again: ConsoleForm? = nil
    ) -> Response {
        var page = ConsolePage("Nothing was changed", area: .clients, trail: found.trail)
        let sentence = problem.description.sentence
        if var again {
            (again.problem, again.wrongField, again.cancel) = (sentence, again.fields.first?.name, found.path)
            for place in again.fields.indices { again.fields[place].value = visit.form[again.fields[place].name] ?? "" }
            page.add(.form(again))
        } else {
            page.add(.notice(.problem, sentence, []), .links([ConsoleLink("Back", found.path)]))
        }
        return show(page, visit, status: .unprocessableContent)
    }

    // MARK: Redirect URIs

    func consoleAddRedirectURI(_ visit: ConsoleVisit) async throws -> Response {
        let found = try await foundClient(visit)
        let uri = (visit.form["uri"] ?? "").lines.first ?? ""
        let mark = visit.form[Self.pinnedMark]
        let done = try await change(found, visit) { registration, client throws(RegistrationError) in
            var uris = registration.redirectURIs ?? client.redirectURIs.map(\.text)
            guard !uris.contains(uri) else { throw RegistrationError("'\(uri)' is one of them already") }
            uris.append(uri)
            registration.redirectURIs = Self.isStill(registration, mark) ? nil : uris
        }
        if case .failure(let problem) = done.outcome { return refused(problem, found, visit, again: adding(found)) }
        let hidden = [("uri", uri)] + Self.pinned(by: done)
        let undo = ConsoleForm(found.path + "/redirect-uris/remove", button: "Undo", hidden: hidden)
        return try redirect(visit, to: found.path, saying: ConsoleFlash("Added \(uri).", undo: undo))
    }

    func consoleRemoveRedirectURI(_ visit: ConsoleVisit) async throws -> Response {
        let found = try await foundClient(visit)
        let uri = visit.form["uri"] ?? ""
        let mark = visit.form[Self.pinnedMark]
        let done = try await change(found, visit) { registration, client throws(RegistrationError) in
            var uris = registration.redirectURIs ?? client.redirectURIs.map(\.text)
            guard uris.contains(uri) else { throw RegistrationError("'\(uri)' is not one of its redirect URIs") }
            guard !Self.isStill(registration, mark) else {
                registration.redirectURIs = nil
                return
            }
            uris.removeAll { $0 == uri }
            guard !uris.isEmpty else {
                throw RegistrationError(
                    "it needs at least one redirect URI: add the new one before you remove this one"
                )
            }
            registration.redirectURIs = uris
        }
        if case .failure(let problem) = done.outcome { return refused(problem, found, visit) }
        let hidden = [("uri", uri)] + Self.pinned(by: done)
        let undo = ConsoleForm(found.path + "/redirect-uris/add", button: "Undo", hidden: hidden)
        return try redirect(visit, to: found.path, saying: ConsoleFlash("Removed \(uri).", undo: undo))
    }

    /// Puts another redirect URI in the place of one: where a profile allows a single one, none can be added or removed.
    func consoleReplaceRedirectURI(_ visit: ConsoleVisit) async throws -> Response {
        let found = try await foundClient(visit)
        let uri = (visit.form["uri"] ?? "").lines.first ?? ""
        let (replaced, mark) = (visit.form[Self.replacedMark], visit.form[Self.pinnedMark])
        let done = try await change(found, visit) { registration, client throws(RegistrationError) in
            var uris = registration.redirectURIs ?? client.redirectURIs.map(\.text)
            guard let place = uris.firstIndex(where: { $0.formMark == replaced }) else {
                throw RegistrationError("the one to replace was changed meanwhile by somebody else: look at it again")
            }
            guard !uris.contains(uri) else { throw RegistrationError("'\(uri)' is one of them already") }
            uris[place] = uri
            registration.redirectURIs = Self.isStill(registration, mark) ? nil : uris
        }
        if case .failure(let problem) = done.outcome {
            // One that was changed meanwhile is looked at before it is replaced.
            let form = found.client.flatMap { client in
                client.redirectURIs.first { $0.text.formMark == replaced }.map { replacing($0, of: client, found) }
            }
            return refused(problem, found, visit, again: form)
        }
        let before = try node.loader.client(done.before)
        let old = before.redirectURIs.first { $0.text.formMark == replaced }
        let hidden = [("uri", old?.text ?? ""), (Self.replacedMark, uri.formMark)] + Self.pinned(by: done)
        let undo = ConsoleForm(found.path + "/redirect-uris/replace", button: "Undo", hidden: hidden)
        var text = "Replaced by \(uri)."
        // It is done: a count that fails takes nothing back. An Undo brings back what the partner sends.
        if mark == nil, before.tokenRequest.mustSend.contains(.redirectURI),
            let live = try? await store.liveCount(of: .client(found.id)), !live.isNothing
        {
            text = "Replaced. \(live.told("stop")) being refreshed until the partner sends the new redirect URI."
        }
        return try redirect(visit, to: found.path, saying: ConsoleFlash(text, undo: undo))
    }

    /// The hidden field that says which redirect URI is replaced, however long that is.
    static let replacedMark = "was"

    /// The hidden field by which an Undo lets the profile say the redirect URIs again, as it did before the first change.
    private static let pinnedMark = "pinned"

    private static func pinned(by change: RegistrationChange) -> [(String, String)] {
        guard change.before.redirectURIs == nil, case .success(let after) = change.outcome,
            let pinned = after.redirectURIs
        else { return [] }
        return [(pinnedMark, mark(of: pinned))]
    }

    /// Whether a registration's redirect URIs are still those that a change has pinned.
    private static func isStill(_ registration: ClientRegistration, _ mark: String?) -> Bool {
        guard let mark, let uris = registration.redirectURIs else { return false }
        return mark == Self.mark(of: uris)
    }

    private static func mark(of uris: [String]) -> String { uris.joined(separator: "\n").formMark }

    // MARK: Name and policies

    func consoleEditClient(_ visit: ConsoleVisit) async throws -> Response {
        let found = try await foundClient(visit)
        return editPage(found, ClientEdit(found.stored.registration, scopes: knownScopes), visit)
    }

    private func editPage(
        _ found: FoundClient,
        _ edit: ClientEdit,
        _ visit: ConsoleVisit,
        problem: RegistrationError? = nil,
        status: HTTPResponse.Status = .ok
    ) -> Response {
        if case .failure(let problem) = found.resolved {
            let sentence = "this connection cannot be used, and cannot be edited before that is mended: \(problem)"
            return refused(RegistrationError(sentence), found, visit)
        }
        var page = ConsolePage("Edit \(found.name)", area: .clients, trail: found.trail)
        var form = ConsoleForm(found.path + "/edit", button: "Save", style: .main, hidden: edit.marks)
        form.fields = edit.fields(of: found.client, hasProfile: found.stored.registration.partner != nil)
        form.cancel = found.path
        (form.problem, form.wrongField) = (problem?.description.sentence, problem.flatMap(ClientEdit.fieldName))
        page.add(.form(form))
        return show(page, visit, status: status)
    }

    func consoleChangeClient(_ visit: ConsoleVisit) async throws -> Response {
        let found = try await foundClient(visit)
        let (edit, known) = (ClientEdit(visit.form), knownScopes)
        let done = try await change(found, visit) { registration, _ throws(RegistrationError) in
            if let overtaken = edit.overtaken(by: registration, scopes: known) { throw overtaken }
            try edit.apply(to: &registration, scopes: known)
        }
        let after: ClientRegistration
        switch done.outcome {
        case .success(let changed):
            after = changed
        case .failure(let problem):
            let newest = ClientEdit(done.before, scopes: known)
            let isOvertaken = edit.overtaken(by: done.before, scopes: known) != nil
            return editPage(
                found,
                isOvertaken ? newest : edit.filled(from: newest),
                visit,
                problem: problem,
                status: isOvertaken ? .conflict : .unprocessableContent
            )
        }
        let way = ClientEdit.wayBack(from: after, to: done.before, scopes: known)
        guard !way.isEmpty else {
            return try redirect(visit, to: found.path, saying: ConsoleFlash("Nothing was changed."))
        }
        let undo = ConsoleForm(found.path + "/edit", button: "Undo", hidden: way)
        return try redirect(visit, to: found.path, saying: ConsoleFlash("Saved.", undo: undo))
    }

    // MARK: Secrets

    private func rotating(_ found: FoundClient) -> ConsoleQuestion {
        let count = found.stored.secrets.count
        var question = ConsoleQuestion(
            heading: "Give \(found.name) a new secret?",
            area: .clients,
            trail: found.trail,
            consequences: [
                "The new secret is shown once, on the next page.",
                count == 0
                    ? "It has none now."
                    : "The newest one before it works until the next rotation, so that the partner can change over in peace.",
            ] + (count > 1 ? ["The older one of today's two ends at once."] : []),
            button: "Rotate the secret",
            cancel: found.path
        )
        (question.needsProof, question.isOnce, question.style) = (true, true, .main)
        return question
    }

    /// The client that gets a new secret.
    /// - Throws: `RegistrationError` when it cannot be used, or has none.
    private static func secretHolder(_ found: FoundClient) throws(RegistrationError) -> Client {
        switch found.resolved {
        case .failure(let problem):
            throw RegistrationError(
                "this connection cannot be used, and gets no new secret before that is mended: \(problem.description)"
            )
        case .success(let client):
            guard !client.isPublic else { throw RegistrationError("this connection has no secret") }
            return client
        }
    }

    func consoleRotateSecret(_ visit: ConsoleVisit) async throws -> Response {
        let found = try await foundClient(visit)
        let client: Client
        do throws(RegistrationError) {
            client = try Self.secretHolder(found)
        } catch {
            return refused(error, found, visit)
        }
        return try await ask(rotating(found), visit) {
            let secret = ClientSecret.make(random: ambient.random(32))
            let stored = ClientSecret(digest: secret.digest, isForTests: false)
            guard try await store.rotateSecret(of: found.id, to: stored, by: visit.actor, now: visit.now) != nil else {
                throw missing("OAuth connection", .clients)
            }
            await node.refresh()
            return credentialsPage(client, secret, heading: "A new secret for \(client.name)", visit)
        }
    }

    private func endingSecrets(_ visit: ConsoleVisit) async throws -> (question: ConsoleQuestion, found: FoundClient) {
        let found = try await foundClient(visit)
        var question = ConsoleQuestion(
            heading: "End the older secret of \(found.name)?",
            area: .clients,
            trail: found.trail,
            consequences: [
                "Requests with the older secret are refused at once. The newest one goes on.",
                "Do this once the partner has changed over. It cannot be undone.",
            ],
            button: "End the older secret",
            cancel: found.path
        )
        question.needsProof = true
        return (question, found)
    }

    func consoleEndSecrets(_ visit: ConsoleVisit) async throws -> Response {
        let (question, found) = try await endingSecrets(visit)
        return try await ask(question, visit) {
            let ended = try await store.endOlderSecrets(of: found.id, by: visit.actor, now: visit.now)
            await node.refresh()
            let text = ended == 0 ? "There was no older secret." : "The older secret has ended."
            return try redirect(visit, to: found.path, saying: ConsoleFlash(text))
        }
    }

    // MARK: Disabling, cutting, deleting

    private func disablingClient(
        _ visit: ConsoleVisit
    ) async throws -> (question: ConsoleQuestion, found: FoundClient) {
        let found = try await foundClient(visit)
        let live = try await store.liveCount(of: .client(found.id))
        let question = ConsoleQuestion(
            heading: "Disable \(found.name)?",
            area: .clients,
            trail: found.trail,
            consequences: [
                "\(Self.told(live, "stop")) until it is enabled again.",
                "Nobody can connect it meanwhile. Nothing is deleted: enabling it brings everything back.",
            ],
            button: "Disable",
            cancel: found.path
        )
        return (question, found)
    }

    func consoleDisableClient(_ visit: ConsoleVisit) async throws -> Response {
        let (question, found) = try await disablingClient(visit)
        return try await ask(question, visit) {
            try await set(found, isDisabled: true, visit)
            let undo = ConsoleForm(found.path + "/enable", button: "Undo")
            return try redirect(visit, to: found.path, saying: ConsoleFlash("\(found.name) is disabled.", undo: undo))
        }
    }

    func consoleEnableClient(_ visit: ConsoleVisit) async throws -> Response {
        let found = try await foundClient(visit)
        try await set(found, isDisabled: false, visit)
        let effect = found.client == nil ? ", but cannot be used before it is mended" : ": its connections work again"
        return try redirect(visit, to: found.path, saying: ConsoleFlash("\(found.name) is enabled\(effect)."))
    }

    /// A client that cannot be used any more can be switched off too.
    private func set(_ found: FoundClient, isDisabled: Bool, _ visit: ConsoleVisit) async throws {
        let done = try await store.update(found.id, by: visit.actor, now: visit.now) { $0.isDisabled = isDisabled }
        guard done != nil else { throw missing("OAuth connection", .clients) }
        await node.refresh()
    }

    private func disconnecting(_ visit: ConsoleVisit) async throws -> (question: ConsoleQuestion, found: FoundClient) {
        let found = try await foundClient(visit)
        let live = try await store.liveCount(of: .client(found.id))
        var question = ConsoleQuestion(
            heading: "Cut all connections of \(found.name)?",
            area: .clients,
            trail: found.trail,
            consequences: [
                "\(Self.told(live, "end")) at once.",
                "An API that checks JWTs without asking sees it when they expire.",
                "This cannot be undone: each person would have to connect the account again.",
            ],
            button: "Cut \(live.connections.counted("connection"))",
            cancel: found.path
        )
        question.needsProof = true
        return (question, found)
    }

    func consoleDisconnectClient(_ visit: ConsoleVisit) async throws -> Response {
        let (question, found) = try await disconnecting(visit)
        return try await ask(question, visit) {
            let count = try await store.revokeAll(of: found.id, by: visit.actor, now: visit.now)
            let flash = ConsoleFlash("\(count.counted("connection")) \(count == 1 ? "is" : "are") cut.")
            return try redirect(visit, to: found.path, saying: flash)
        }
    }

    private func deletingClient(_ visit: ConsoleVisit) async throws -> (question: ConsoleQuestion, found: FoundClient) {
        let found = try await foundClient(visit)
        let live = try await store.liveCount(of: .client(found.id))
        var question = ConsoleQuestion(
            heading: "Delete \(found.name)?",
            area: .clients,
            trail: found.trail,
            consequences: [
                "\(Self.told(live, "end")) at once.",
                "Its client_id, its secrets and its redirect URIs are gone for ever, and so is what is known of its connections.",
                "This cannot be undone. To stop it for a while, disable it.",
            ],
            button: "Delete",
            cancel: found.path
        )
        question.needsProof = true
        return (question, found)
    }

    func consoleDeleteClient(_ visit: ConsoleVisit) async throws -> Response {
        let (question, found) = try await deletingClient(visit)
        return try await ask(question, visit) {
            _ = try await store.deleteClient(found.id, by: visit.actor, now: visit.now)
            await node.refresh()
            return try redirect(visit, to: "/clients", saying: ConsoleFlash("\(found.name) is deleted."))
        }
    }

    private static func told(_ live: Store.LiveCount, _ verb: String) -> String {
        live.isNothing ? "There are no live connections: none \(verb)s" : live.told(verb, live.ofAccounts)
    }
}
