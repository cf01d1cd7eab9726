"""The probe `approval`: a person has said yes, to files that are still what they were then."""

from collections.abc import Mapping

from mcp_server.gates.observation import LookUnavailableError, Source
from mcp_server.gates.probe_settings import ApprovalSettings
from mcp_server.gates.probes.look import Found, Look


def look_approval(settings: ApprovalSettings, look: Look) -> Found:
    """Find a person's yes to the field."""
    sources = subject(settings, look)
    files = digests(sources)
    given = next((a for a in look.facts.approvals if a.field == look.name), None)
    if given is None:
        raise _wanted(settings, look, files, "no person has approved it yet")
    if given.files != files:
        changed = sorted(name for name in files.keys() | given.files.keys()
                         if files.get(name) != given.files.get(name))  # fmt: skip
        reason = f"the approval by {given.by} is void: {', '.join(changed[:5])} changed since"
        raise _wanted(settings, look, files, reason)
    return Found(given.by if look.type == "string" else True, sources)


def subject(settings: ApprovalSettings, look: Look) -> tuple[Source, ...]:
    """Return the files that are approved, at least those that the gate names; raises LookFailed."""
    found = [file.source for template in settings.of
             for file in look.files.read_all(look.glob(template))]  # fmt: skip
    return tuple(dict.fromkeys(found))


def digests(sources: tuple[Source, ...]) -> dict[str, str]:
    """Return the digests of files by path."""
    return {source.path: source.sha256 for source in sources}


def _wanted(
    settings: ApprovalSettings, look: Look, files: Mapping[str, str], reason: str
) -> LookUnavailableError:
    return LookUnavailableError(
        reason,
        f"A person approves it with `aos-workflow approve {look.facts.session_id}`.",
        final=True,
        details={"approval_of": look.name, "question": look.shown(settings.question),
                 "files": sorted(files)[:10]},
    )  # fmt: skip
