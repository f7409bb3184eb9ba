"""The load: refreshes and exchanges of connections from all over the database, one size after the other."""

import random
import time
from contextlib import ExitStack

from bench.load import Sample, run
from bench.process import ServerProcess, free_port

from .places import Place

CONNECTIONS = 16
KINDS = ["refresh", "exchange"]
WARM_UP = {"refresh": 30, "exchange": 15}
"""Seconds of each before the first round."""


FIGURES = ["rate", "p50_ms", "p99_ms", "failures", "cpu_per_thousand"]


def token_requests(server: ServerProcess, script: str, arguments: list[str], seconds: int) -> Sample:
    return run(server, "/oauth/token", script, arguments, CONNECTIONS, seconds)


def figures(sample: Sample) -> dict[str, object]:
    """What is kept of a run."""
    return {name: getattr(sample, name) for name in FIGURES}


def refresh(place: Place, server: ServerProcess, seconds: int, pause: int = 0) -> Sample:
    seed = random.randrange(1 << 30)
    return token_requests(server, "random.lua", [str(place.folder / "refresh.bodies"), str(seed), str(pause)], seconds)


class Exchanges:
    """Exchanges: each code is good for one, so as many are issued before as may be sent."""

    def __init__(self) -> None:
        self.fastest = 4000.0

    def sample(self, place: Place, server: ServerProcess, seconds: int) -> Sample:
        while True:
            count = int(self.fastest * seconds * 1.5)
            sample = token_requests(server, "once.lua", [place.exchange_bodies(count), "1"], seconds)
            place.forget()
            self.fastest = max(self.fastest, count / seconds if sample.exhausted else sample.rate)
            if not sample.exhausted:
                return sample


def serving(place: Place, *options: str) -> ServerProcess:
    port = free_port()
    return ServerProcess(place.command("serve", "--port", str(port), *options), port, place.folder / "server.log")


def compare(places: list[Place], rounds: int, seconds: int, kinds: list[str]) -> list[dict[str, object]]:
    """All sizes in turn, each served by a server of its own; only one has work at a time."""
    found: list[dict[str, object]] = []
    with ExitStack() as stack:
        servers = {place.size: stack.enter_context(serving(place)) for place in places}
        exchanges = {place.size: Exchanges() for place in places}
        for server in servers.values():
            server.wait_until_ready()
        for place in places:
            place.forget()
            place.warm()
            # A process of PostgreSQL maps each page of the shared memory when it first reads it, and logs a page whole
            # when it is first written after a checkpoint: in the long run few are.
            refresh(place, servers[place.size], WARM_UP["refresh"])
            exchanges[place.size].sample(place, servers[place.size], WARM_UP["exchange"])
        for number in range(rounds):
            # Every second round goes backwards, so that a drift of the machine strikes all alike.
            for place in places[:: -1 if number % 2 else 1]:
                server = servers[place.size]
                # A fresh wrk reads its file first, and what the last run left is written behind within five seconds.
                for kind in kinds:
                    if kind == "refresh":
                        sample = refresh(place, server, seconds)
                    else:
                        sample = exchanges[place.size].sample(place, server, seconds)
                    print(
                        f"  round {number + 1}  {place.engine:8} {place.size:>10,}  {kind:8} {sample.rate:9,.0f}/s  "
                        f"p50 {sample.p50_ms:.2f}  p99 {sample.p99_ms:.2f} ms  cpu {sample.cpu_per_thousand:.3f}"
                        + (f"  {sample.failures} FAILED" if sample.failures else ""),
                        flush=True,
                    )
                    found.append({"round": number, "size": place.size, "kind": kind} | figures(sample))
    return found


SIGN_INS = 1000


def sweep(place: Place, rounds: int, seconds: int) -> list[dict[str, object]]:
    """Refreshes while people sign in, with nothing to be swept and with as much to be swept as comes."""
    found: list[dict[str, object]] = []
    clearing(place)
    for number in range(rounds):
        for kind in ("nothing to sweep", "sweeping")[:: -1 if number % 2 else 1]:
            options = ["--sign-ins", str(SIGN_INS)] + (["--expired"] if kind == "sweeping" else [])
            log = place.folder / "server.log"
            log.unlink(missing_ok=True)
            with serving(place, *options) as server:
                server.wait_until_ready()
                start = time.monotonic()
                time.sleep(max(0.0, 11 - (time.monotonic() - start)))  # the first sweep has begun
                saturated = refresh(place, server, seconds)
                half = refresh(place, server, seconds, pause=1)
                left = due(place)
                lasted = time.monotonic() - start
            arrivals = [line for line in log.read_text().splitlines() if line.startswith("ARRIVALS")]
            print(
                f"  round {number + 1}  {place.engine:8} {kind:16}  "
                f"saturated {saturated.rate:7,.0f}/s p99 {saturated.p99_ms:.2f} ms"
                f"  below it {half.rate:7,.0f}/s p99 {half.p99_ms:.2f} ms  due {left:,}  {' '.join(arrivals)}",
                flush=True,
            )
            found.append(
                {"round": number, "kind": kind, "saturated": figures(saturated), "half": figures(half), "due": left}
                | {"seconds": lasted, "arrivals": " ".join(arrivals)}
            )
            clearing(place)
    return found


def due(place: Place) -> int:
    """How many sessions and codes have expired and are still there."""
    now = int(time.time() * 1000)
    day = now - 86_400_000
    sql = (
        f"select (select count(*) from sessions where idle_until <= {now}) + "
        f"(select count(*) from codes where issued_at <= {day})"
    )
    return int(str(place.query(sql)[0][0]))


def clearing(place: Place) -> None:
    """Takes away what a run has left to be swept, so that the next one starts alike."""
    place.run("growth-sweep")
