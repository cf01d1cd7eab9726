"""Probes of other packages: what they register under the entry-point group `aos_workflow.probes`.

An entry point names a `ProbeKind`. Its settings say how the probe is called, under `verify`, by
their `probe`; the name of a built-in probe is not given away. A package that cannot be loaded is
logged, and its probes are then unknown: a gate that names them is refused.
"""

import logging
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import entry_points

from mcp_server.gates.probe_settings import KNOWN_PROBES, ProbeSettings
from mcp_server.gates.probes.look import Probe, ProbeKind

GROUP = "aos_workflow.probes"

logger = logging.getLogger(__name__)


@lru_cache(maxsize=1)
def load_probes() -> Mapping[str, Probe]:
    """Make the probes of installed packages known to gates and return how they look, by name."""
    loaded: dict[str, Probe] = {}
    for entry in entry_points(group=GROUP):
        try:
            kind = entry.load()
        except Exception as error:  # noqa: BLE001 - code of other packages runs here
            logger.warning("probe %s cannot be loaded: %s", entry.name, error)
            continue
        problem = _problem_of(kind)
        if problem:
            logger.warning("probe %s is not used: %s", entry.name, problem)
            continue
        KNOWN_PROBES[kind.settings.probe] = kind.settings
        loaded[kind.settings.probe] = kind.look
    return loaded


def _problem_of(kind: object) -> str | None:
    if not isinstance(kind, ProbeKind) or not callable(kind.look):
        return "it is no ProbeKind that looks"
    settings: object = kind.settings
    if not isinstance(settings, type) or not issubclass(settings, ProbeSettings):
        return "it has no ProbeSettings"
    name: object = settings.probe
    if not isinstance(name, str) or not name.isidentifier():
        return f"its settings name no probe: {name!r}"
    if name in KNOWN_PROBES:
        return f"there is a probe {name} already"
    if any(name in settings.model_fields for settings in KNOWN_PROBES.values()):
        return f"{name} is a setting of another probe"
    return None
