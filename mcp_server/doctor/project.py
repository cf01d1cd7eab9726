"""Which project, which settings, and what is wrong with the workflow definitions."""

from collections import Counter
from collections.abc import Iterator

from mcp_server.config import PREFIX, Settings
from mcp_server.doctor.findings import Finding, fine, note, problem
from mcp_server.doctor.subject import Subject
from mcp_server.errors import ConfigurationError
from mcp_server.linting.command import find_places
from mcp_server.linting.linter import lint_all
from mcp_server.linting.problems import plural
from mcp_server.server.services import library_for

_SHOWN = 10


def check_project(subject: Subject) -> Iterator[Finding]:
    """Say which folder is the project, and why."""
    if isinstance(subject.root, ConfigurationError):
        yield problem(subject.root.at_terminal, subject.root.remediation)
    else:
        yield fine(f"{subject.root.path} ({subject.root.reason})")


def check_settings(subject: Subject) -> Iterator[Finding]:
    """Say whether the settings can be read, and which are not the usual ones."""
    if isinstance(subject.settings, ConfigurationError):
        if subject.settings is not subject.root:
            yield problem(subject.settings.message, subject.settings.remediation)
        return
    usual = Settings.model_validate({"project": subject.settings.project})
    changed = [
        f"{PREFIX}{name.upper()}={value}"
        for name, value in subject.settings
        if name != "project" and value != getattr(usual, name)
    ]
    yield fine(", ".join(changed) or "all as usual")
    known = {f"{PREFIX}{name.upper()}" for name, _ in usual}
    for name in sorted(subject.machine.environment):
        if name.startswith(PREFIX) and name not in known:
            yield note(f"{name} is set, and no setting of this version", f"Unset {name}.")


def check_definitions(subject: Subject) -> Iterator[Finding]:
    """Count the definitions, and say what the linter finds wrong with the project's own."""
    if subject.folder is None:
        return
    library = library_for(subject.folder)
    sources = Counter(place.shelf.label for place in library.places())
    yield fine(", ".join(f"{plural(count, 'workflow')} {_from(label)}"
                         for label, count in sources.items()))  # fmt: skip
    found = lint_all(find_places((), subject.folder), library.places())
    errors = [one for one in found if one.is_error]
    for one in errors[:_SHOWN]:
        at = f"{one.file}:{one.line}" if one.line else one.file
        yield problem(f"{at}: {one.message}", one.remedy)
    if len(errors) > _SHOWN:
        yield problem(f"and {plural(len(errors) - _SHOWN, 'error')} more", "aos-workflow lint")
    if len(found) > len(errors):
        yield note(plural(len(found) - len(errors), "warning"), "aos-workflow lint")


def _from(label: str) -> str:
    return label if label == "built-in" else f"in {label}"
