"""Looks for what a gate wants verified: each field's probes in order, the first that can be had.

A look that fails is final: a weaker probe must not be asked until one says yes. A look that could
not be had gives way to the next one, unless it says that it is final. What a probe raises besides
is a defect and goes up: it must not be taken for an answer.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mcp_server.gates.model import EvidenceField, Gate
from mcp_server.gates.observation import (
    Judgement,
    LookFailedError,
    LookUnavailableError,
    Observation,
    Source,
)
from mcp_server.gates.probe_settings import ProbeSettings
from mcp_server.gates.probes.files import ProjectFiles
from mcp_server.gates.probes.look import Look, PhaseFacts, Probe

MAX_SOURCES = 20


class Observer:
    """Finds values out for a project."""

    def __init__(self, files: ProjectFiles, probes: Mapping[str, Probe]) -> None:
        """Look at `files` with `probes`, by the name that a gate gives."""
        self._files = files
        self._probes = probes

    def observe(
        self, gate: Gate, claims: Mapping[str, Any], facts: PhaseFacts
    ) -> dict[str, Observation]:
        """Return what was found of each field that is required or claimed and wants a look."""
        look = Look(self._files, facts, claims)
        return {
            name: self._observe_field(field, replace(look, name=name, type=field.type))
            for name, field in gate.verified_fields.items()
            if field.required or claims.get(name) is not None
        }

    def _observe_field(self, field: EvidenceField, look: Look) -> Observation:
        unavailable: Observation | None = None
        least = field.assurance.strength if field.assurance else 0
        for settings in field.probes:
            if settings.gives.strength < least:
                continue
            observation, final = self._look(settings, look)
            if final:
                return observation
            # The first reason is that of the strongest probe: what would be best to mend.
            unavailable = unavailable or observation
        return unavailable or Observation(
            field.probes[0].gives,
            judgement=Judgement.COULD_NOT_VERIFY,
            reason=f"no probe gives the assurance {field.assurance}",
        )

    def _look(self, settings: ProbeSettings, look: Look) -> tuple[Observation, bool]:
        seen = Observation(settings.gives, probe=look.shown(settings.described))
        try:
            found = self._probes[settings.probe](settings, look)
        except LookFailedError as error:
            return replace(
                seen,
                judgement=Judgement.FAIL,
                reason=error.reason,
                sources=_capped(error.sources),
            ), True
        except LookUnavailableError as error:
            return replace(
                seen,
                judgement=Judgement.COULD_NOT_VERIFY,
                reason=error.reason,
                remedy=error.remedy,
                details=error.details,
            ), error.final
        return replace(seen, value=found.value, sources=_capped(found.sources)), True


def _capped(sources: tuple[Source, ...]) -> tuple[Source, ...]:
    return tuple(dict.fromkeys(sources))[:MAX_SOURCES]
