"""The measuring of one database: short runs, all scenarios in turn, round after round."""

from collections.abc import Callable
from dataclasses import dataclass, field

from . import load
from .bodies import Bodies
from .load import Sample
from .process import ServerProcess
from .scenarios import FIXED, Scenario

Key = tuple[str, int]
"""A scenario's name and a number of connections."""

Sites = dict[str, tuple[Bodies, ServerProcess]]
"""The servers by name, each with what is sent to it.

`server` has the fixed answer too, `program` is `latchkey serve` on the same database, `api` is guarded by `OAuthGuard`,
`eddsa` and `rs256` sign by these algorithms, on databases of their own.
"""


@dataclass
class Plan:
    """What is measured, how long and how often."""

    scenarios: list[Scenario]
    connections: list[int]
    rounds: int
    seconds: int


@dataclass
class Measurements:
    """The samples of one database, one for each round; of the fixed answer one for each time it was the measure."""

    samples: dict[Key, list[Sample]] = field(default_factory=dict)
    ratios: dict[Key, list[float]] = field(default_factory=dict)
    """Each sample's rate as a part of the fixed answer's at as many connections, measured shortly before."""

    def add(self, scenario: Scenario, connections: int, sample: Sample, ceiling: Sample) -> None:
        key = (scenario.name, connections)
        self.samples.setdefault(key, []).append(sample)
        if ceiling.rate:
            self.ratios.setdefault(key, []).append(sample.rate / ceiling.rate)


class Measuring:
    """The servers under load, one at a time."""

    FIRST_GUESS = 4000
    """Requests a second that are prepared for where each can be sent once only, until a run tells better."""

    def __init__(self, sites: Sites, say: Callable[[str], None]):
        self.sites = sites
        self.say = say
        self.fastest: dict[str, float] = {}
        self.files: dict[str, str] = {}

    def run(self, plan: Plan) -> Measurements:
        measurements = Measurements()
        if not plan.scenarios:
            return measurements
        for scenario in [FIXED, *plan.scenarios]:
            self.check(scenario)
            self.sample(scenario, 16, 1)
        for number in range(plan.rounds):
            for connections in plan.connections:
                ceiling: Sample | None = None
                # Every second round goes backwards, so that a drift of the machine strikes all alike.
                for scenario in plan.scenarios[:: -1 if number % 2 else 1]:
                    if ceiling is None or scenario.is_judged:
                        ceiling = self.sampled(FIXED, connections, plan, number)
                        measurements.add(FIXED, connections, ceiling, ceiling)
                    sample = self.sampled(scenario, connections, plan, number)
                    measurements.add(scenario, connections, sample, ceiling)
        return measurements

    def sampled(self, scenario: Scenario, connections: int, plan: Plan, number: int) -> Sample:
        """A sample, told as it is taken."""
        sample = self.sample(scenario, connections, plan.seconds)
        self.say(
            f"  round {number + 1} of {plan.rounds}  {connections:3} connections  {scenario.title:43} "
            f"{sample.rate:9,.0f}/s" + (f"  {sample.failures} FAILED" if sample.failures else "")
        )
        return sample

    def check(self, scenario: Scenario) -> None:
        """Sends one request and looks at its answer, so that no refusal is measured as an answer."""
        bodies, server = self.sites[scenario.site]
        line = scenario.lines(bodies, server, 1)[0] if scenario.lines else ""
        status, answer = scenario.ask(server, scenario.path, line)
        if status != scenario.status or scenario.holds not in answer:
            raise SystemExit(f"bench: {scenario.name} is answered with {status} {answer[:300]}")

    def sample(self, scenario: Scenario, connections: int, seconds: int) -> Sample:
        while True:
            count = int(self.fastest.get(scenario.name, self.FIRST_GUESS) * seconds * 1.5) + 1000
            arguments = self.arguments(scenario, count)
            _, server = self.sites[scenario.site]
            sample = load.run(server, scenario.path, scenario.script, arguments, connections, seconds)
            if scenario.leaves_work:
                server.wait_until_idle()
            fastest = count / seconds if sample.exhausted else sample.rate
            self.fastest[scenario.name] = max(self.fastest.get(scenario.name, 0), fastest)
            if not sample.exhausted:
                return sample

    def arguments(self, scenario: Scenario, count: int) -> list[str]:
        if scenario.lines is None:
            return []
        if scenario.is_fresh or scenario.name not in self.files:
            bodies, server = self.sites[scenario.site]
            lines = scenario.lines(bodies, server, count)
            self.files[scenario.name] = bodies.write(scenario.name, lines)
        extra = [str(load.THREADS)] if scenario.is_sent_once else []
        return [self.files[scenario.name], *extra]
