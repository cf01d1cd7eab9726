"""What is wrong with metadata.json by itself; how it fits the folders is `phases`' business."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mcp_server.core.definition_files import is_there
from mcp_server.core.definitions import Metadata
from mcp_server.core.encoding import encode
from mcp_server.linting.ground import Ground
from mcp_server.linting.json_source import JsonError, JsonSource
from mcp_server.linting.metadata_schema import known_keys, known_keys_of
from mcp_server.linting.problems import closest, listed

FILE = "metadata.json"

At = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Described:
    """What metadata.json says, and where."""

    path: Path
    source: JsonSource
    model: Metadata

    @property
    def entries(self) -> list[tuple[int, dict[str, Any]]]:
        """The entries of `phases`, as they were written, each with its index."""
        phases = self.source.data.get("phases") or []
        return [(index, entry) for index, entry in enumerate(phases) if isinstance(entry, dict)]

    def entry_of(self, number: int) -> tuple[int, dict[str, Any]] | None:
        """Return the entry of one phase, if it has one of its own."""
        for index, entry in self.entries:
            if self.model.phases[index].phase_number == number:
                return index, entry
        return None


def check_metadata(ground: Ground) -> Described | None:
    """Check metadata.json and return what it says, or None if that cannot be told."""
    path = ground.folder / FILE
    if not is_there(path):
        ground.error(path, "metadata/missing", "there is no metadata.json",
                     "Write one: the workflow is not found without it.")  # fmt: skip
        return None
    text = ground.read(path)
    source = _parsed(ground, path, text) if text is not None else None
    if source is None:
        return None
    _check_duplicates(ground, path, source)
    _check_keys(ground, path, source)
    _check_texts(ground, path, source)
    _check_plain(ground, path, source)
    model = _modelled(ground, path, source)
    return Described(path, source, model) if model else None


def _parsed(ground: Ground, path: Path, text: str) -> JsonSource | None:
    try:
        source = JsonSource(text)
    except JsonError as error:
        ground.error(path, "metadata/not-json", f"not JSON: {error}",
                     "Mend the syntax at this place.", error.line)  # fmt: skip
        return None
    if not isinstance(source.data, dict):
        ground.error(path, "metadata/not-an-object", "is not a JSON object",
                     'Write an object, such as {"workflow_type": "..."}.', 1)  # fmt: skip
        return None
    return source


def _check_duplicates(ground: Ground, path: Path, source: JsonSource) -> None:
    for key, line in source.duplicates:
        ground.error(path, "metadata/duplicate-key", f"the key {key!r} stands twice",
                     "Remove one of them: only the last one counts.", line)  # fmt: skip


def _check_keys(ground: Ground, path: Path, source: JsonSource) -> None:
    data, phases = source.data, source.data.get("phases")
    parts: list[tuple[At, Any, frozenset[str]]] = [((), data, known_keys())]
    for index, entry in enumerate(phases if isinstance(phases, list) else []):
        parts.append((("phases", index), entry, known_keys_of("PhaseMetadata")))
    config = data.get("dynamic_config")
    parts.append((("dynamic_config",), config, known_keys_of("DynamicConfig")))
    templates = config.get("templates") if isinstance(config, dict) else None
    parts.append((("dynamic_config", "templates"), templates, known_keys_of("DynamicTemplates")))
    for at, part, known in parts:
        for key in part if isinstance(part, dict) else ():
            if key not in known:
                line = source.line_of((*at, key))
                _tell_unknown(ground, path, key, closest(key, known - part.keys()), line)


def _tell_unknown(
    ground: Ground, path: Path, key: str, meant: str | None, line: int | None
) -> None:
    if meant:
        ground.error(path, "metadata/unknown-key", f"unknown key {key!r}: did you mean {meant}?",
                     f"Rename it to {meant}, or to something else entirely.", line)  # fmt: skip
    else:
        ground.warn(path, "metadata/unknown-key", f"unknown key {key!r}: nothing reads it",
                    "Remove it, or move it below notes.", line)  # fmt: skip


def _check_texts(ground: Ground, path: Path, source: JsonSource) -> None:
    for key, why in (
        ("description", "agents choose a workflow by it"),
        ("name", "people are shown the folder's name instead"),
    ):
        if not source.data.get(key):
            ground.warn(path, f"metadata/no-{key}", f"there is no {key}",
                        f"Write one: {why}.", source.line_of((key,)))  # fmt: skip


def _check_plain(ground: Ground, path: Path, source: JsonSource) -> None:
    for key, value in source.data.items():
        try:
            encode(value)
        except (ValueError, RecursionError):
            # Python reads NaN and halves of characters, which nobody can write again.
            ground.error(path, "metadata/not-plain", f"{key} holds what is no plain data",
                         "Write whole characters and finite numbers.",
                         source.line_of((key,)))  # fmt: skip


def _modelled(ground: Ground, path: Path, source: JsonSource) -> Metadata | None:
    try:
        model = Metadata.model_validate(source.data)
    except ValidationError as error:
        _tell(ground, path, source, error.errors(include_url=False, include_context=False))
        return None
    except RecursionError:
        ground.error(path, "metadata/not-json", "nested too deep", "Make it flat.")
        return None
    if model.workflow_type != ground.name:
        ground.error(
            path, "metadata/workflow-type",
            f"workflow_type {model.workflow_type!r} is not the folder's name {ground.name!r}",
            f"Rename the folder to {model.workflow_type}, or write"
            f' "workflow_type": "{ground.name}".',
            source.line_of(("workflow_type",)),
        )  # fmt: skip
    return model


def _tell(ground: Ground, path: Path, source: JsonSource, errors: Iterable[Any]) -> None:
    told: dict[At, list[str]] = {}
    for error in errors:
        # What fits none of several types is refused once for each of them.
        at = _real_part(source.data, error["loc"])
        told.setdefault(at, []).append(str(error["msg"]).removeprefix("Value error, "))
    for at, reasons in told.items():
        name = ".".join(map(str, at))
        ground.error(
            path, "metadata/invalid", f"{name}: {'; or: '.join(dict.fromkeys(reasons))}",
            f"Add {name}." if reasons == ["Field required"] else f"Write {name} as is asked for.",
            source.line_of(at),
        )  # fmt: skip


def _real_part(data: Any, loc: At) -> At:
    """Return the beginning of `loc` that is in the data, and a missing key at its end."""
    at: At = ()
    for step in loc:
        if isinstance(data, dict):
            at = (*at, step)
            data = data.get(step)
        elif isinstance(data, list) and isinstance(step, int) and step < len(data):
            at = (*at, step)
            data = data[step]
        else:
            break
    return at


def check_utilities(ground: Ground, described: Described) -> None:
    """Warn of documents that metadata.json lists and that are not there."""
    utilities = described.source.data.get("core_utilities")
    for index, entry in enumerate(utilities if isinstance(utilities, list) else []):
        file = entry.get("file") if isinstance(entry, dict) else None
        if isinstance(file, str) and not is_file_within(ground, ground.folder / file):
            line = described.source.line_of(("core_utilities", index, "file"))
            ground.warn(described.path, "metadata/no-such-file", f"{file!r} is not there",
                        "Correct the path, or remove the entry.", line)  # fmt: skip


def is_file_within(ground: Ground, path: Path) -> bool:
    """Tell whether there is a file at `path` that is not outside of the boundary."""
    try:
        return ground.holds(path) and path.is_file()
    except (OSError, RuntimeError, ValueError):
        # A name that no file can have, or links in a circle.
        return False


def check_required_evidence(
    ground: Ground, described: Described, number: int, fields: Iterable[str]
) -> None:
    """Warn where metadata.json asks for other evidence than the gate does, which decides."""
    found = described.entry_of(number)
    asked = described.model.phases[found[0]].checkpoint.required_evidence if found else ()
    missing = [name for name in asked if name not in set(fields)]
    if missing and found:
        line = described.source.line_of(("phases", found[0], "checkpoint", "required_evidence"))
        ground.warn(described.path, "metadata/required-evidence",
                    f"phase {number}: the gate does not ask for {listed(missing)}",
                    "Let required_evidence name the fields of the gate, or remove it: the gate"
                    " decides.", line)  # fmt: skip
