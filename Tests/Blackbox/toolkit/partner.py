"""A partner's web site on loopback: it receives callbacks, and can send the browser on to another place."""

import ssl

from .site import Answer, Asked, Site

PAGE = b"<!doctype html><html lang=en><title>Partner</title><h1>Back at the partner</h1>"


class PartnerSite(Site):
    """Shows one page everywhere, or leads callbacks on to another address."""

    def __init__(
        self,
        send_on_to: str | None = None,
        host: str = "127.0.0.1",
        tls: ssl.SSLContext | None = None,
        status: int = 302,
    ):
        self.send_on_to = send_on_to
        self.status = status
        super().__init__(self._show, host=host, tls=tls)

    def _show(self, asked: Asked) -> Answer:
        if self.send_on_to and asked.path.startswith("/callback"):
            return self.status, {"Location": self.send_on_to}, b""
        return 200, {"Content-Type": "text/html; charset=utf-8"}, PAGE

    @property
    def referrers(self) -> list[str | None]:
        return [asked.headers.get("referer") for asked in self.asked if asked.path != "/favicon.ico"]

    @property
    def callbacks(self) -> list[str]:
        return [asked.path for asked in self.asked if asked.path.startswith("/callback")]
