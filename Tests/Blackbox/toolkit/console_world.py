"""A server with one of everything that the console shows, and an operator of every kind."""

from .console import Operator
from .person import Person

REDIRECT = "https://partner.example/callback"


def plain_client(server, name="Example partner"):
    """A partner's application that nothing is special about."""
    return server.create_client("--redirect-uri", REDIRECT, "--scope", "locks.read", name=name)


class World:
    """A server with one of everything, and somebody of every role."""

    def __init__(self, server):
        self.server = server
        self.client = plain_client(server)
        self.account = server.create_account()
        self.customer = Person(server, self.account)
        self.customer.connect(self.client)
        self.connection = server.command("connection", "list", "--client", self.client.client_id)[0]["connection_id"]
        self.key = server.command("api-key", "create", "--name", "A program")
        server.canaries.add("API key", self.key["api_key"])
        self.event = server.command("webhook", "list", "--limit", "1")[0]["event_id"]
        self.entry = server.command("audit", "list", "--limit", "1")[0]["number"]
        self.operator = Operator(server, name="Full").join()
        self.reader = Operator(server, name="Reader", read_only=True).join()
        self.disabled = Operator(server, name="Gone").join()
        server.command("operator", "disable", self.disabled.email)

    def path(self, pattern: str) -> str:
        """A route's path with a real identifier in it."""
        subjects = {
            "clients": self.client.client_id,
            "connections": self.connection,
            "accounts": self.account.user_id,
            "api-keys": self.key["api_key_id"],
            "webhooks": self.event,
            "audit": str(self.entry),
        }
        return pattern.replace(":id", subjects.get(pattern.split("/")[2] if pattern.count("/") > 1 else "", "x"))
