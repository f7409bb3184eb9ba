"""Whom the authorization endpoint redirects to, against somebody who means harm: security.md, rows A01 to A03."""

import pytest

from toolkit.expect import check_refused_here
from toolkit.person import Person

GOOD = "https://partner.example/callback"


def mutations() -> list[str]:
    """Sixty redirect URIs that look like the registered one to a careless comparison."""
    host, path = "partner.example", "/callback"
    return [
        "https://partner.example/Callback",
        "https://partner.example/CALLBACK",
        "HTTPS://partner.example/callback",
        "https://PARTNER.example/callback",
        "https://partner.example/callback/",
        "https://partner.example//callback",
        "https://partner.example/callback//",
        "https://partner.example/callback?",
        "https://partner.example/callback?x=1",
        "https://partner.example/callback&x=1",
        "https://partner.example/callback#",
        "https://partner.example/callback#part",
        "https://partner.example/callback/extra",
        "https://partner.example/callbackextra",
        "https://partner.example/callback.html",
        "https://partner.example/callback/..",
        "https://partner.example/callback/../callback",
        "https://partner.example/./callback",
        "https://partner.example/x/../callback",
        "https://partner.example/x%2F..%2Fcallback",
        "https://partner.example/x/%2e%2e/callback",
        "https://partner.example/%63allback",
        "https://partner.example/callback%2f",
        "https://partner.example/callback%252f",
        "https://partner.example/callback%00",
        "https://partner.example/callback%0A",
        "https://partner.example/callback%0D%0A/../",
        "https://partner.example/callback;/../",
        "https://partner.example/x/..;/callback",
        "https://partner.example/callback;x",
        "https://partner.example/callback ",
        " https://partner.example/callback",
        "https://partner.example/callback\t",
        "https://partner.example/call\nback",
        "https://partner.example:443/callback",
        "https://partner.example:8443/callback",
        "https://partner.example:/callback",
        "https://partner.example./callback",
        "http://partner.example/callback",
        "ftp://partner.example/callback",
        "//partner.example/callback",
        "/callback",
        "partner.example/callback",
        "https:partner.example/callback",
        "https:/partner.example/callback",
        "https:///partner.example/callback",
        "https:\\\\partner.example\\callback",
        "https://evil.example\\@partner.example/callback",
        "https://partner.example\\.evil.example/callback",
        f"https://{host}@evil.example{path}",
        f"https://evil.example@{host}{path}",
        f"https://user:word@{host}{path}",
        f"https://evil.example@@{host}{path}",
        f"https://evil.example#@{host}{path}",
        f"https://evil.example?@{host}{path}",
        f"https://{host}.evil.example{path}",
        f"https://evil{host}{path}",
        f"https://sub.{host}{path}",
        f"https://partner。example{path}",
        f"https://pаrtner.example{path}",
        "https://xn--prtner-fyb.example/callback",
        "javascript:alert(1)//https://partner.example/callback",
        "data:text/html,https://partner.example/callback",
    ]


def test_A01_sixty_look_alikes_of_the_redirect_uri_are_refused(sqlite_server):
    web = sqlite_server.partners.web
    assert len(mutations()) >= 60
    for uri in mutations():
        page = Person(sqlite_server).request("GET", web.authorize_url(redirect_uri=uri))
        check_refused_here(page)


def test_A01_the_registered_uri_itself_is_accepted(sqlite_server):
    assert Person(sqlite_server).visit(sqlite_server.partners.web.authorize_url(redirect_uri=GOOD)).sign_in_form


@pytest.mark.parametrize(
    "uri", ["http://127.0.0.1/callback", "http://127.0.0.1:1/callback", "http://127.0.0.1:65535/callback"]
)
def test_A02_on_loopback_any_port_is_accepted(sqlite_server, uri):
    assert Person(sqlite_server).visit(sqlite_server.partners.phone.authorize_url(redirect_uri=uri)).sign_in_form


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1:8000/other",
        "http://127.0.0.1:8000/callback/",
        "http://127.0.0.1:8000/callback?x=1",
        "http://127.0.0.1:99999/callback",
        "http://127.0.0.1:/callback",
        "http://127.0.0.1:80x/callback",
        "http://127.0.0.1.evil.example/callback",
        "http://127.0.0.1@evil.example/callback",
        "http://127.0.0.1:80@evil.example/callback",
        "http://127.0.0.1:80#@evil.example/callback",
        "http://evil.example@127.0.0.1/callback",
        "https://127.0.0.1/callback",
        "http://0.0.0.0/callback",
        "http://127.1/callback",
        "http://127.0.0.2/callback",
        "http://2130706433/callback",
        "http://0x7f.0.0.1/callback",
        "http://[::1]/callback",
        "http://localhost/callback",
        "http://localhost:8000/callback",
    ],
)
def test_A02_only_the_port_may_differ_on_loopback(sqlite_server, uri):
    check_refused_here(
        Person(sqlite_server).request("GET", sqlite_server.partners.phone.authorize_url(redirect_uri=uri))
    )


@pytest.mark.parametrize(
    "change",
    [
        {"client_id": "nobody"},
        {"client_id": None},
        {"client_id": ""},
        {"redirect_uri": "https://evil.example/"},
        {"client_id": "nobody", "redirect_uri": "https://evil.example/"},
    ],
    ids=str,
)
@pytest.mark.parametrize(
    "circumstance",
    [{}, {"prompt": "none"}, {"response_mode": "form_post"}, {"response_type": "token"}, {"scope": "no.such"}],
    ids=str,
)
def test_A03_an_unknown_client_or_place_is_never_redirected_to(sqlite_server, change, circumstance):
    page = Person(sqlite_server).request("GET", sqlite_server.partners.web.authorize_url(**(circumstance | change)))
    check_refused_here(page)
    assert not [link for link in page.links if "evil" in link]


def test_A03_a_missing_redirect_uri_is_refused_when_there_are_several(sqlite_server):
    page = Person(sqlite_server).request("GET", sqlite_server.partners.seam.authorize_url(redirect_uri=None))
    check_refused_here(page)
