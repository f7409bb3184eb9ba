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


@dataclass
class Plan:
    """How long and how often."""

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

    def __init__(
        self, bodies: Bodies, server: ServerProcess, program: ServerProcess | None, say: Callable[[str], None]
    ):
        self.bodies = bodies
        self.server = server
        self.program = program
        self.say = say
        self.fastest: dict[str, float] = {}
        self.files: dict[str, str] = {}

    def run(self, plan: Plan) -> Measurements:
        measurements = Measurements()
        for scenario in [FIXED, *plan.scenarios]:
            self.check(scenario)
            self.sample(scenario, 16, 1)
        for number in range(plan.rounds):
            for connections in plan.connections:
                ceiling: Sample | None = None
                # Every second round goes backwards, so that a drift of the machine strikes all alike.
                for scenario in plan.scenarios[:: -1 if number % 2 else 1]:
                    if ceiling is None or scenario.is_judged:
                        ceiling = self.sampled(FIXED, connections, plan.seconds, number)
                        measurements.add(FIXED, connections, ceiling, ceiling)
                    sample = self.sampled(scenario, connections, plan.seconds, number)
                    measurements.add(scenario, connections, sample, ceiling)
        return measurements

    def sampled(self, scenario: Scenario, connections: int, seconds: int, number: int) -> Sample:
        """A sample, told as it is taken."""
        sample = self.sample(scenario, connections, seconds)
        self.say(
            f"  round {number + 1}  {connections:2} connections  {scenario.title:28} "
            f"{sample.rate:9.0f}/s" + (f"  {sample.failures} FAILED" if sample.failures else "")
        )
        return sample

    def asked(self, scenario: Scenario) -> ServerProcess:
        return self.program if scenario.is_of_program and self.program else self.server

    def check(self, scenario: Scenario) -> None:
        """Sends one request and looks at its answer, so that no refusal is measured as an answer."""
        if scenario.lines is None:
            status, _, answer = self.asked(scenario).ask("GET", scenario.path)
        else:
            body, _, cookie = scenario.lines(self.bodies, self.server, 1)[0].partition("\t")
            headers = {"Cookie": cookie} if cookie else {}
            status, _, answer = self.asked(scenario).ask("POST", scenario.path, body, headers)
        if status != scenario.status or scenario.holds not in answer:
            raise SystemExit(f"bench: {scenario.name} is answered with {status} {answer[:300]}")

    def sample(self, scenario: Scenario, connections: int, seconds: int) -> Sample:
        while True:
            count = int(self.fastest.get(scenario.name, self.FIRST_GUESS) * seconds * 1.5) + 1000
            arguments = self.arguments(scenario, count)
            sample = load.run(self.asked(scenario), scenario.path, scenario.script, arguments, connections, seconds)
            fastest = count / seconds if sample.exhausted else sample.rate
            self.fastest[scenario.name] = max(self.fastest.get(scenario.name, 0), fastest)
            if not sample.exhausted:
                return sample

    def arguments(self, scenario: Scenario, count: int) -> list[str]:
        if scenario.lines is None:
            return []
        if scenario.is_fresh or scenario.name not in self.files:
            lines = scenario.lines(self.bodies, self.server, count)
            self.files[scenario.name] = self.bodies.write(scenario.name, lines)
        extra = [str(load.THREADS)] if scenario.is_sent_once else []
        return [self.files[scenario.name], *extra]
