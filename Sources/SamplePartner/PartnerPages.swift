// The partner's pages: plain HTML without scripts, one style sheet, nothing from elsewhere.

/// The first page: what this is, and the button.
func welcomePage(_ settings: SamplePartnerSettings) -> Markup {
    layout(
        settings,
        title: "Connect your locks",
        """
        <section class="hero">
          <h1>Let guests in without handing over a key</h1>
          <p class="lead">\(settings.name) opens the right door at the right time. Connect the account of your locks once;
          your password stays with the maker of the locks.</p>
          <p><a class="button" href="/connect">Connect your locks</a></p>
        </section>
        <section class="steps" aria-label="What happens next">
          <ol>
            <li><h2>Sign in</h2><p>You sign in at the maker of your locks, not here.</p></li>
            <li><h2>Allow</h2><p>You read what \(settings.name) asks for, and allow or deny it.</p></li>
            <li><h2>Done</h2><p>You come back here, and your locks are in the list.</p></li>
          </ol>
        </section>
        <details class="technical">
          <summary>For developers: the request behind the button</summary>
          <dl>
            <dt>Authorization endpoint</dt><dd><code>\(settings.authorizeURL)</code></dd>
            <dt>Token endpoint</dt><dd><code>\(settings.tokenURL)</code></dd>
            <dt>Client</dt><dd><code>\(settings.clientID)</code></dd>
            <dt>Redirect URI</dt><dd><code>\(settings.redirectURI)</code></dd>
            <dt>Scopes</dt><dd><code>\(settings.scopes.joined(separator: " "))</code></dd>
          </dl>
        </details>
        """
    )
}

/// The person pressed "Deny".
func deniedPage(_ settings: SamplePartnerSettings) -> Markup {
    message(
        settings,
        title: "Nothing was connected",
        """
        <p class="lead">You chose not to give \(settings.name) access, so it has none. You can change your mind at any
        time.</p>
        """
    )
}

/// The callback was opened without an attempt that this browser began and has not finished.
func strangerPage(_ settings: SamplePartnerSettings, isConnected: Bool) -> Markup {
    let wayOn: Markup = isConnected ? #"<p><a href="/connected">See your locks</a>, which are connected.</p>"# : ""
    return message(
        settings,
        title: "This attempt is over",
        """
        <p class="lead">Its answer has been taken before, or it did not begin in this browser in the last quarter of an
        hour. Nothing has changed.</p>
        \(wayOn)
        """
    )
}

/// The authorization server said that the connection has ended: nothing but connecting again helps.
func endedPage(_ settings: SamplePartnerSettings, _ words: String) -> Markup {
    layout(
        settings,
        title: "The connection has ended",
        """
        <section class="hero">
          <h1>The connection has ended</h1>
          <p class="lead">Somebody disconnected \(settings.name) from your locks, so it cannot reach them any more. Connect
          again to go on.</p>
          <p><a class="button" href="/connect">Connect again</a> <a class="quiet" href="/">Back to the start</a></p>
          <details class="technical"><summary>For developers: the answer that said so</summary>
          <pre>\(words)</pre></details>
        </section>
        """
    )
}

/// The authorization server refused something.
func troublePage(_ settings: SamplePartnerSettings, _ text: String) -> Markup {
    message(
        settings,
        title: "That did not work",
        """
        <p class="lead">The account could not be connected. This is what the authorization server said:</p>
        <pre>\(text)</pre>
        """
    )
}

private func message(_ settings: SamplePartnerSettings, title: String, _ body: Markup) -> Markup {
    layout(
        settings,
        title: title,
        """
        <section class="hero">
          <h1>\(title)</h1>
          \(body)
          <p><a class="button" href="/connect">Try again</a> <a class="quiet" href="/">Back to the start</a></p>
        </section>
        """
    )
}

/// Everything that the partner has of a connected account.
func connectedPage(
    _ settings: SamplePartnerSettings,
    _ connection: PartnerConnection,
    _ locks: [PartnerLock],
    trouble: String?
) -> Markup {
    layout(
        settings,
        title: "Your locks are connected",
        """
        <h1>Your locks are connected</h1>
        \(connection.trial.map(trialLine) ?? "")
        \(noticeLine(connection.notice, "good", role: "status"))
        \(noticeLine(trouble, "bad", role: "alert"))
        <section class="card">
          <h2>Locks</h2>
          <p>Read from <code>\(settings.apiBase)/locks</code> with the access token.</p>
          <ul class="locks">\(Markup(locks.map(lockItem)))</ul>
        </section>
        <section class="card" id="refreshes">
          <h2>Does it stay connected?</h2>
          <p>Twenty workers refresh with the same refresh token at the same moment. Afterwards every access token that
          \(settings.name) ever got is tried against the API.</p>
          <form method="post" action="/connected/refresh"><button>Refresh 20 times at once</button></form>
          \(connection.lastRun.map(refreshTable) ?? "")
        </section>
        <section class="card">
          <h2>What \(settings.name) has</h2>
          <dl>
            <dt>user_id</dt><dd><code>\(connection.userID ?? "none")</code>
            <small>The same at every connection of this account, for ever.</small></dd>
            <dt>Access token</dt><dd>\(secret(connection.accessToken))</dd>
            <dt>Refresh token</dt><dd>\(connection.refreshToken.map(secret) ?? "none")</dd>
            <dt>Access tokens so far</dt><dd>\(connection.accessTokens.count)</dd>
          </dl>
        </section>
        <p><a class="quiet" href="/connect">Connect again, or another account</a></p>
        """
    )
}

private func trialLine(_ text: String) -> Markup {
    "<p class=\"notice good\"><strong>Tried at once, so that you see it work:</strong> \(text)</p>"
}

private func noticeLine(_ text: String?, _ kind: String, role: String) -> Markup {
    guard let text else { return "" }
    return "<p class=\"notice \(kind)\" role=\"\(role)\">\(text)</p>"
}

private func lockItem(_ lock: PartnerLock) -> Markup {
    let name = lock.name ?? lock.lock_id
    let isLocked = lock.lock_state != "unlocked"
    let action = isLocked ? "unlock" : "lock"
    return """
        <li>
          <div>
            <h3>\(name)</h3>
            <p>\(lock.address ?? "") <small>\(lock.model ?? "")\(lock.battery_level.map { ", battery \($0) %" } ?? "")</small></p>
          </div>
          <p class="state \(isLocked ? "locked" : "unlocked")">\(isLocked ? "Locked" : "Unlocked")</p>
          <form method="post" action="/connected/move">
            <input type="hidden" name="lock_id" value="\(lock.lock_id)">
            <input type="hidden" name="name" value="\(name)">
            <input type="hidden" name="action" value="\(action)">
            <button class="small" aria-label="\(isLocked ? "Unlock" : "Lock") \(name)">\(isLocked ? "Unlock" : "Lock")</button>
          </form>
        </li>
        """
}

private func refreshTable(_ run: RefreshRun) -> Markup {
    let working = run.trials.filter { $0.status == 200 }.count
    let isGood = working == run.trials.count && run.failures.isEmpty
    let milliseconds = Int(run.took / .milliseconds(1))
    let headline =
        isGood
        ? "All \(run.trials.count) tokens still work."
        : "\(working) of \(run.trials.count) tokens work, \(run.failures.count) of 20 refreshes failed."
    return """
        <p class="notice \(isGood ? "good" : "bad")" role="status"><strong>\(headline)</strong>
        The refreshes took \(milliseconds) ms.</p>
        \(Markup(Set(run.failures).sorted().map { "<pre>\($0)</pre>" }))
        <details\(run.trials.count <= 25 ? " open" : "")><summary>Every token and the API's answer to it</summary><table>
          <thead><tr><th scope="col">No.</th><th scope="col">Token</th><th scope="col">GET /locks</th></tr></thead>
          <tbody>\(Markup(run.trials.map(trialRow)))</tbody>
        </table></details>
        """
}

private func trialRow(_ trial: RefreshRun.Trial) -> Markup {
    let answer = trial.status.map(String.init) ?? "no answer"
    return """
        <tr><td>\(trial.number)</td><td><code>…\(String(trial.token.suffix(8)))</code></td>
        <td class="\(trial.status == 200 ? "good" : "bad")">\(answer)\(trial.status == 200 ? " OK" : "")</td></tr>
        """
}

/// A token, shortened until somebody asks for the whole of it.
private func secret(_ text: String) -> Markup {
    """
    <details class="secret"><summary><code>\(String(text.prefix(12)))…\(String(text.suffix(4)))</code> <span class="more">Reveal</span><span class="less">Hide</span>
    </summary><code>\(text)</code></details>
    """
}

private func layout(_ settings: SamplePartnerSettings, title: String, _ body: Markup) -> Markup {
    """
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="referrer" content="no-referrer">
    <title>\(title) – \(settings.name)</title>
    <link rel="stylesheet" href="/partner.css">
    </head>
    <body>
    <header><a href="/"><span class="mark" aria-hidden="true"></span>\(settings.name)</a></header>
    <main>
    \(body)
    </main>
    <footer><p>A sample of what a partner builds. It knows the server only by its public addresses.</p></footer>
    </body>
    </html>

    """
}
