"""A small queueing model of many agents on databases that share the sessions among them.

Every agent thinks, calls, and thinks again. A call reads or changes a session, and a session lies
in one partition: a database that works on so many transactions at once, and has the rest wait in
line. The same assumptions give the same figures: chance comes from a seed.
"""

import heapq
import random
from dataclasses import dataclass, replace

PLANS = ((1_000, 1), (10_000, 1), (10_000, 2), (10_000, 4), (10_000, 8))
"""How many agents on how many partitions."""

_MILLISECONDS = 1_000


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What the model takes for granted; all times are means, in seconds."""

    agents: int = 10_000
    partitions: int = 1
    at_once: int = 8
    thinking: float = 5.0
    changing: float = 0.25
    read_work: float = 0.001
    change_work: float = 0.020
    network: float = 0.002
    seconds: float = 20.0
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it: calls a second, how busy the partitions were, how long calls took."""

    calls: float
    busy: float
    median: float
    slow: float


def simulate(assumed: Assumptions) -> Outcome:
    """Let the agents call for the time assumed, and again as long before, which does not count."""
    chance = random.Random(assumed.seed)  # noqa: S311 - a model, not a secret
    end, begin = 2 * assumed.seconds, assumed.seconds
    free = [[0.0] * assumed.at_once for _ in range(assumed.partitions)]
    due = [(chance.expovariate(1 / assumed.thinking), agent) for agent in range(assumed.agents)]
    heapq.heapify(due)
    took: list[float] = []
    worked = 0.0
    while due[0][0] < end:
        now, agent = due[0]
        changes = chance.random() < assumed.changing
        work = chance.expovariate(1 / (assumed.change_work if changes else assumed.read_work))
        line = free[agent % assumed.partitions]
        done = max(now, line[0]) + work
        heapq.heapreplace(line, done)
        answered = done + assumed.network
        heapq.heapreplace(due, (answered + chance.expovariate(1 / assumed.thinking), agent))
        if now >= begin:
            took.append(answered - now)
            worked += work
    took.sort()
    capacity = assumed.partitions * assumed.at_once * assumed.seconds
    return Outcome(
        calls=len(took) / assumed.seconds,
        busy=min(1.0, worked / capacity),
        median=took[len(took) // 2],
        slow=took[len(took) * 99 // 100],
    )


def assumptions() -> str:
    """Return what the model assumes, as a list in Markdown."""
    taken = Assumptions()
    change, read, network = (
        f"{seconds * _MILLISECONDS:g} ms"
        for seconds in (taken.change_work, taken.read_work, taken.network)
    )
    return f"""\
- An agent thinks {taken.thinking:g} s between two calls, and {taken.changing:.0%} of its calls
  change its session.
- A change takes {change} of a database, its locks, round trips and sync included; a read {read}.
- These times are means of exponential distributions.
- A database works on {taken.at_once} transactions at once, as many as its pooler lets through;
  the rest wait in line, first come, first served.
- The network adds {network} to a call.
- Sessions are spread evenly over the partitions, and no two agents share one.
- What runs beside the workspace, probes and trusted commands, takes no time of a database.
- Nothing fails."""


def table() -> str:
    """Return what comes of each plan, as a table in Markdown."""
    rows = ["| agents | partitions | calls a second | busy | median | 99 of 100 within |",
            "|---|---|---|---|---|---|"]  # fmt: skip
    for agents, partitions in PLANS:
        came = simulate(replace(Assumptions(), agents=agents, partitions=partitions))
        rows.append(
            f"| {agents:,} | {partitions} | {came.calls:,.0f} | {came.busy:.0%}"
            f" | {_milliseconds(came.median)} | {_milliseconds(came.slow)} |"
        )
    return "\n".join(rows)


def _milliseconds(seconds: float) -> str:
    return f"{seconds * _MILLISECONDS:,.0f} ms"
