"""Readers of what was counted, each on a provider of its own, and the calls that are counted."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader

from mcp_server.server import telemetry

CALLS = "aos_workflow.action.duration"
STARTED = "aos_workflow.sessions.started"
FINISHED = "aos_workflow.session.duration"
VERDICTS = "aos_workflow.gate.verdicts"

Counts = dict[tuple[Any, ...], int]


class Counted:
    """What an exporter would see."""

    def __init__(self, reader: InMemoryMetricReader) -> None:
        self._reader = reader

    def metrics(self) -> dict[str, Any]:
        """The metrics by name; read once, for reading again gives the same sums."""
        data = self._reader.get_metrics_data()
        scopes = data.resource_metrics[0].scope_metrics if data else ()
        return {metric.name: metric for scope in scopes for metric in scope.metrics}

    def points(self, name: str) -> list[Any]:
        """The data points of a metric."""
        metric = self.metrics().get(name)
        return list(metric.data.data_points) if metric else []

    def of(self, name: str) -> Counts:
        """How often each set of attributes was counted, by their values in order of name."""
        return {
            tuple(value for _, value in sorted(point.attributes.items())): point.count
            if isinstance(point, HistogramDataPoint)
            else point.value
            for point in self.points(name)
        }


@contextmanager
def counting() -> Iterator[Counted]:
    """Count the calls inside to a provider that nothing else uses."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    try:
        with telemetry.counting_to(provider):
            yield Counted(reader)
    finally:
        provider.shutdown()
