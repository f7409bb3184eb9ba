"""A reverse proxy in front of a server that takes the Authorization header away, as some companies' fronts do."""

from .site import Answer, Asked, Site
from .wire import send


class BasicEatingFront(Site):
    """Passes every POST on to `upstream`, without its Authorization header."""

    def __init__(self, upstream: str):
        self.upstream = upstream
        super().__init__(self._pass_on)

    def _pass_on(self, asked: Asked) -> Answer:
        heads = {"Content-Type": asked.headers["content-type"]}
        answer = send("POST", self.upstream + asked.path, data=asked.body, headers=heads)
        return answer.status_code, {"Content-Type": answer.headers["Content-Type"]}, answer.content

    @property
    def had_authorization(self) -> list[bool]:
        """Which of the requests had one."""
        return ["authorization" in asked.headers for asked in self.asked]
