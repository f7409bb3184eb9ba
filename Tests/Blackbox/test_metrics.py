"""`/metrics`: who may read it, what it says, and that it says so while the server is at work."""

import json
import re
import subprocess
import threading
import time

import pytest

from toolkit import exposition
from toolkit.databases import ROOT
from toolkit.person import Person
from toolkit.ports import free_port
from toolkit.seeing import PAGE, scrape, table
from toolkit.waiting import eventually
from toolkit.wire import send

PROMTOOL = [str(ROOT / "scripts" / "promtool")]
REQUESTS, GRANTS = "latchkey_http_requests_total", "latchkey_token_grants_total"


def web(server):
    return server.create_client("--redirect-uri", "https://partner.example/callback", "--scope", "locks.read")


# What it says


def test_what_a_partner_does_is_counted(own_server):
    client, account = web(own_server), own_server.create_account()
    own_server.start()
    connected = Person(own_server, account).connect(client)
    for _ in range(5):
        connected = client.refreshed(connected.refresh)
    client.refresh("lkr_nonsense")
    client.using(client_secret="lks_" + "x" * 43).refresh(connected.refresh)
    client.post("/oauth/token", {"grant_type": "urn:made-up-" + "x" * 50})
    send("GET", own_server.base + "/no-such-page/" + "x" * 40)
    seen = scrape(own_server)
    grants = seen[GRANTS]
    assert grants.value(grant="authorization_code", outcome="ok") == 1
    assert grants.value(grant="refresh_token", outcome="ok") == 5
    assert grants.value(grant="refresh_token", outcome="invalid_grant") == 1
    assert grants.value(grant="refresh_token", outcome="invalid_client") == 1
    assert grants.value(grant="other", outcome="unsupported_grant_type") == 1
    requests = seen[REQUESTS]
    assert requests.value(endpoint="/oauth/token", method="POST", status="2xx") == 6
    assert requests.value(endpoint="/oauth/token", method="POST", status="4xx") == 3
    assert requests.value(endpoint="/login", method="POST", status="3xx") == 1
    assert requests.value(endpoint="other", method="other", status="4xx") == 1
    took = seen["latchkey_http_request_duration_seconds"]
    assert took.value("_count", endpoint="/oauth/token") == 9
    assert 0 < took.value("_sum", endpoint="/oauth/token") < 60
    assert seen["latchkey_connections_made_total"].value() == 1
    assert seen["latchkey_sign_ins_total"].value(person="customer", outcome="ok") == 1
    assert seen["latchkey_database_commits_total"].value() >= 1
    client.revoke(connected.refresh)
    assert scrape(own_server)["latchkey_connections_cut_total"].value() == 1


def test_what_the_node_is_made_of_is_told(own_server):
    server = own_server.start()
    seen = scrape(server)
    assert seen["latchkey_build_info"].sum(engine=server.database.kind) == 1
    assert seen["latchkey_signing_keys"].value() == 1
    assert 0 <= seen["latchkey_snapshot_age_seconds"].value() < 30
    assert seen["latchkey_http_connections"].value() >= 1
    assert abs(seen["process_resident_memory_bytes"].value() - server.memory()) < 64 * 1024 * 1024
    assert seen["process_open_fds"].value() > 5
    assert seen["process_cpu_seconds_total"].value() > 0
    assert -60 < time.time() - seen["process_start_time_seconds"].value() < 600
    assert server.run("key", "rotate").returncode == 0
    eventually(lambda: scrape(server)["latchkey_signing_keys"].value() == 2)
    assert 3000 < scrape(server)["latchkey_signing_key_next_seconds"].value() <= 4200


def test_no_caller_can_make_the_number_of_series_grow(own_server):
    client = web(own_server)
    server = own_server.start()

    def series() -> set:
        return {key for family in scrape(server).values() for key in family.samples}

    server.run("sweep")
    before = series()
    for i in range(30):
        send("GET", f"{server.base}/made/up/{i}")
        send("GET", f"{server.base}/assets/{i}")
        send(f"MADEUP{i}", f"{server.base}/oauth/token")
        send("GET", f"{server.base}/console/clients/cli-{i}")
        client.using(client_id=f"client-{i}").refresh(f"token-{i}")
        client.post("/oauth/token", {"grant_type": f"grant-{i}"})
    assert series() <= before | {key for key in series() if key[0] == "latchkey_swept_rows_total"}


def test_the_page_lists_every_metric_and_no_other(sqlite_server):
    listed = table("Metrics")
    seen = scrape(sqlite_server)
    assert set(listed) == set(seen)
    for name, (kind, labels, meaning) in listed.items():
        family = seen[name]
        assert (kind, meaning) == (family.type, family.help), name
        if family.samples:
            assert {word.strip("` ") for word in labels.split(",")} - {""} == family.labels(), name


def queries() -> list[str]:
    """Every query of the dashboard, with values for its variables, and of the alert rules."""
    dashboard = json.loads((ROOT / "deploy/grafana/latchkey.json").read_text())
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    asked += [annotation["expr"] for annotation in dashboard["annotations"]["list"]]
    asked = [query.replace("$__rate_interval", "1m") for query in asked]
    rules = (ROOT / "deploy/prometheus/alerts.yml").read_text()
    return asked + re.findall(r"^\s+expr: (.*)$", rules, re.MULTILINE)


def test_dashboard_and_alerts_ask_for_what_is_there(sqlite_server):
    families = scrape(sqlite_server)
    named = {name: family for family in families.values() for name in {family.name, *(n for n, _ in family.samples)}}
    asked = set()
    for query in queries():
        for name, _, selector in re.findall(r"\b((?:latchkey|process)_[a-z_]+)(\{([^}]*)\})?", query):
            asked.add(named[name].name)
            for label, operator, value in re.findall(r'(\w+)(=~|!=|=)"([^"]*)"', selector):
                if label in {"job", "instance"} or not named[name].samples:
                    continue
                known = {dict(labels).get(label) for _, labels in named[name].samples}
                wanted = value.split("|") if operator == "=~" else [value]
                assert set(wanted) <= known, f"{query}: there is no {label} {wanted}, but {known}"
    assert set(families) - asked == set(), "nobody looks at these"


def test_every_security_event_has_an_alert_or_is_named_as_having_none():
    """So that a new event is not forgotten: whoever adds one says who is to be told of it."""
    rules = (ROOT / "deploy/prometheus/alerts.yml").read_text()
    told = {event for names in re.findall(r'event=~?"([^"]+)"', rules) for event in names.split("|")}
    (without,) = re.findall(r"^- \*\*No alert of their own\*\* (.*?)\.$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    events = set(table("Security events"))
    left_out = set(re.findall(r"`([a-z_]+)`", without))
    assert told | left_out == events
    assert not told & left_out


def test_every_alert_is_explained_and_tested():
    rules = (ROOT / "deploy/prometheus/alerts.yml").read_text()
    cases = (ROOT / "deploy/prometheus/alerts.test.yml").read_text()
    for alert in re.findall(r"- alert: (\w+)", rules):
        assert f"`{alert}`" in PAGE.read_text(), alert
        assert f"{alert} fires" in cases, alert
        assert f"{alert} is silent" in cases, alert


def test_every_query_of_the_dashboard_can_be_read(tmp_path):
    rules = [{"record": f"a:b{number}", "expr": query} for number, query in enumerate(queries())]
    file = tmp_path / "queries.yml"
    file.write_text(json.dumps({"groups": [{"name": "queries", "rules": rules}]}))
    done = subprocess.run([*PROMTOOL, "check", "rules", file], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_example_is_one_for_prometheus_and_its_alert_rules_fire_when_they_should():
    folder = ROOT / "deploy" / "prometheus"
    # With a configuration the rules that it names are checked too.
    for words in (["check", "config", "prometheus.yml"], ["test", "rules", "alerts.test.yml"]):
        done = subprocess.run([*PROMTOOL, *words], cwd=folder, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_likes_the_page(sqlite_server):
    text = send("GET", sqlite_server.base + "/metrics").text
    done = subprocess.run([*PROMTOOL, "check", "metrics"], input=text, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


# Who may read it


def test_it_answers_below_the_issuers_path_too(new_server):
    port = free_port()
    server = new_server(port=port, issuer=f"http://127.0.0.1:{port}/auth").start()
    assert set(scrape(server)) == set(scrape(server, server.base + "/auth"))


PROXIES_SAY = ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via", "X-Forwarded-Proto", "CF-Connecting-IP"]


@pytest.mark.parametrize("header", PROXIES_SAY)
def test_what_came_through_a_proxy_that_is_not_known_is_refused(sqlite_server, header):
    answer = send("GET", sqlite_server.base + "/metrics", headers={header: "127.0.0.1"})
    assert answer.status_code == 403
    assert "metrics-from" in answer.json()["error_description"]
    assert "latchkey_" not in answer.text


def test_a_trusted_proxy_says_who_reads(new_server):
    server = new_server(environment={"LATCHKEY_TRUSTED_PROXIES": "127.0.0.1"}).start()
    for source, status in (
        ("203.0.113.9", 403),
        ("127.0.0.1", 200),
        ("203.0.113.9, 127.0.0.1", 403),
        ("203.0.113.9, unix:", 403),
        ("unknown", 403),
        # Through two of them: what the outer one could not name is not that proxy itself.
        ("unix:, 127.0.0.1", 403),
        ("203.0.113.9, unknown, 127.0.0.1", 403),
        ("", 403),
    ):
        answer = send("GET", server.base + "/metrics", headers={"X-Forwarded-For": source})
        assert answer.status_code == status, source


def test_only_the_addresses_of_the_settings_read_it(new_server):
    server = new_server(environment={"LATCHKEY_METRICS_FROM": "127.0.9.0/24"}).start()
    assert send("GET", server.base + "/metrics").status_code == 403
    assert send("GET", server.base + "/metrics", source="127.0.9.4").status_code == 200


def test_with_a_listener_of_its_own_it_is_only_there(new_server):
    port = free_port()
    server = new_server(environment={"LATCHKEY_METRICS_LISTEN": f"127.0.0.1:{port}"}).start()
    assert send("GET", server.base + "/metrics").status_code == 404
    base = f"http://127.0.0.1:{port}"
    assert scrape(server, base)[REQUESTS].sum() > 0
    assert send("GET", base + "/readyz").status_code == 200
    assert send("GET", base + "/oauth/jwks").status_code == 404
    assert send("POST", base + "/oauth/token").status_code == 404
    assert server.stop() == 0


def test_a_listener_that_cannot_be_had_stops_the_start(new_server):
    first = new_server().start()
    other = new_server(environment={"LATCHKEY_METRICS_LISTEN": f"127.0.0.1:{first.port}"}, port=free_port())
    other.start(wait=False)
    assert other.process.wait(timeout=60) == 1
    assert f"127.0.0.1:{first.port}" in other.log.splitlines()[-1]
    other.process = None


# While the server is at work


def test_a_scrape_under_load_is_whole_and_counts_everything(own_server):
    client, account = web(own_server), own_server.create_account()
    server = own_server.start()
    connected = Person(server, account).connect(client)
    over = threading.Event()
    statuses: list[int] = []

    def work():
        while not over.is_set():
            statuses.append(client.refresh(connected.refresh).status_code)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    last = 0.0
    for _ in range(40):
        seen = scrape(server)
        count = seen[GRANTS].value(grant="refresh_token", outcome="ok")
        assert count >= last
        last = count
    over.set()
    for thread in threads:
        thread.join()
    assert set(statuses) == {200}
    assert scrape(server)[GRANTS].value(grant="refresh_token", outcome="ok") == len(statuses)


def test_the_reader_of_the_tests_is_strict():
    good = '# HELP a_total A.\n# TYPE a_total counter\na_total{x="\\"\\\\\\n"} 1\n'
    assert exposition.read(good)["a_total"].value(x='"\\\n') == 1
    for bad in (
        good[:-1],
        good + 'a_total{x="\\"\\\\\\n"} 2\n',
        good.replace("counter", "gauges"),
        good.replace(" 1\n", " one\n"),
        good.replace("a_total", "a"),
        good + "b_total 1\n",
        "# HELP h H.\n# TYPE h histogram\n" + 'h_bucket{le="+Inf"} 1\nh_bucket{le="1"} 2\nh_sum 1\nh_count 1\n',
    ):
        with pytest.raises(AssertionError):
            exposition.read(bad)
