"""What an author may write under `verify`: one frozen model of settings for each probe. Pure.

`verify: {junit: reports/junit.xml, count: passed}` names the probe by the key and its main setting
by the value; the other keys are further settings. `verify: {junit: {path: ..., count: ...}}` says
the same. A list takes the first probe that can be had. Settings that make no sense, paths that
leave the project and placeholders that nothing fills are refused here, when the gate is read.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from mcp_server.gates.observation import Known
from mcp_server.gates.patterns import PatternError, compiled

PLACEHOLDER = re.compile(r"\{(?P<name>[^{}]*)\}")


_FILLED_BY_NAME = re.compile(r"(options|evidence)\.[^{}.\s]+\Z")
_ABSOLUTE = re.compile(r"[/\\~]|[A-Za-z]:|file:")


def session_values(target_file: str, session_id: str) -> dict[str, str]:
    """Return what fills the placeholders that every session fills."""
    folder, _, name = target_file.rpartition("/")
    return {
        "target_file": target_file,
        "target_dir": folder or ".",
        "target_name": name,
        "target_stem": name.rpartition(".")[0] or name,
        "session_id": session_id,
    }


def _require_template(text: str) -> str:
    if not text.strip():
        raise ValueError("a path is empty")
    if _ABSOLUTE.match(text) or "\\" in text or ".." in text.split("/"):
        raise ValueError(f"the path {text!r} leaves the project; write it relative, with /")
    for found in PLACEHOLDER.finditer(text):
        name = found["name"]
        if name not in _FILLED and not _FILLED_BY_NAME.match(name):
            known = ", ".join(f"{{{known}}}" for known in sorted(_FILLED))
            raise ValueError(
                f"nothing fills {found[0]} in {text!r}; there are {known}, {{options.KEY}} and"
                " {evidence.FIELD}"
            )
    return text


def _require_pattern(source: str) -> str:
    try:
        compiled(source)
    except PatternError as error:
        raise ValueError(str(error)) from error
    return source


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


_FILLED = session_values("", "").keys()

PathTemplate = Annotated[str, AfterValidator(_require_template)]
"""A path relative to the project root; may hold placeholders and glob signs (`*`, `?`, `**`)."""

Paths = Annotated[tuple[PathTemplate, ...], BeforeValidator(_as_list), Field(min_length=1)]
Pattern = Annotated[str, AfterValidator(_require_pattern)]
Patterns = Annotated[tuple[str, ...], BeforeValidator(_as_list), Field(min_length=1)]
Names = Annotated[tuple[str, ...], BeforeValidator(_as_list)]


class ProbeSettings(BaseModel):
    """What all probes share; `main` is the setting that the value of the probe's key gives."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    probe: ClassVar[str] = ""
    main: ClassVar[str] = "path"
    gives: ClassVar[Known] = Known.OBSERVED
    """How a value is known that this probe found."""

    @property
    def described(self) -> str:
        """Say in a few words what is looked at, for agents and reports."""
        return self.probe


class _Reading(ProbeSettings):
    path: Paths = Field(description="File in the project; may be a glob, or a list")
    fresh: bool = Field(
        default=False, description="Refuse files that were last written before the phase began"
    )

    @property
    def described(self) -> str:
        """Say in a few words what is looked at."""
        return f"{self.probe} {', '.join(self.path)}"


class FileSettings(_Reading):
    """Files exist and are not empty."""

    probe = "file"

    min_size: int = Field(1, ge=0, description="Bytes that each file has at least")
    minimum: int = Field(1, ge=1, description="Files that the glob finds at least")


class CountSettings(_Reading):
    """Matches of a regular expression, line by line or across lines, in files."""

    probe = "count"

    pattern: Pattern = Field(description="Regular expression; ^ and $ match at line ends")
    minimum: int | None = Field(None, ge=1, description="Matches that there are at least")
    distinct: bool = Field(
        default=False, description="Count equal matches (of group 1, if any) once"
    )

    @property
    def described(self) -> str:
        """Say in a few words what is looked at."""
        return f"{super().described}, matches of {self.pattern}"


class TextSettings(_Reading):
    """Text of a file: the whole, or the first match of a regular expression."""

    probe = "text"

    pattern: Pattern | None = Field(None, description="Regular expression; group 1 is the value")
    contains: str | None = Field(None, min_length=1, description="Text that must be there")

    @property
    def described(self) -> str:
        """Say in a few words what is looked at."""
        sought = self.contains or self.pattern
        return super().described + (f", {sought}" if sought else "")


class _Pointer(_Reading):
    pointer: str = Field(
        "", pattern=r"\A(/([^/~]|~[01])*)*\z", description="JSON pointer, such as /project/version"
    )

    @property
    def described(self) -> str:
        """Say in a few words what is looked at."""
        return f"{super().described}{self.pointer and ' at ' + self.pointer}"


class JsonSettings(_Pointer):
    """A value in a JSON file."""

    probe = "json"


class YamlSettings(_Pointer):
    """A value in a YAML file."""

    probe = "yaml"


class TomlSettings(_Pointer):
    """A value in a TOML file."""

    probe = "toml"


JUnitCount = Literal["total", "passed", "failed", "skipped"]


class JUnitSettings(_Reading):
    """Test results in JUnit XML, of any runner; a report without a test fails."""

    probe = "junit"

    fresh: bool = True
    count: JUnitCount | None = Field(None, description="total, passed, failed or skipped")
    tests: Names = Field((), description="Names of tests that must be there, and have passed")
    of: PathTemplate | None = Field(
        None,
        validation_alias=AliasChoices("of", "target"),
        description="Test file: only its tests are counted, and there must be some",
    )

    @property
    def described(self) -> str:
        """Say in a few words what is looked at."""
        return super().described + (f" ({self.count})" if self.count else "")


class CoverageSettings(_Reading):
    """Percent covered in a Cobertura XML, coverage.py JSON or LCOV report."""

    probe = "coverage"

    fresh: bool = True
    count: Literal["lines", "branches"] = Field("lines", description="lines or branches")
    of: PathTemplate | None = Field(
        None,
        validation_alias=AliasChoices("of", "target"),
        description="File of the project, such as {target_file}; without it, all files",
    )

    @property
    def described(self) -> str:
        """Say in a few words what is looked at."""
        return f"{super().described} ({self.count}{(self.of and ' of ' + self.of) or ''})"


class GitSettings(ProbeSettings):
    """A commit exists, the work tree is clean, or which files changed since the phase began."""

    probe = "git"
    main = "check"

    check: Literal["commit", "clean", "changed"] = Field(
        description="commit: a commit exists; clean: nothing is uncommitted; changed: files"
        " that differ from when the phase began"
    )
    commit: str | None = Field(None, description="For commit: which one, such as {evidence.commit}")
    matching: Patterns | None = Field(
        None, description="For changed: globs of files to count; at least one must have changed"
    )
    never: Patterns | None = Field(
        None, description="For changed: globs of files none of which may have changed"
    )
    since: Literal["phase", "session"] = Field("phase", description="Where counting begins")

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, data: Any) -> Any:
        """Read `{commit: "..."}`, `{clean: true}` and `{changed: globs}` without `check`."""
        if not isinstance(data, Mapping) or "check" in data:
            return data
        data = dict(data)
        if data.get("clean") is True and data.pop("clean"):
            return data | {"check": "clean"}
        if "changed" in data:
            return {"matching": data.pop("changed"), **data, "check": "changed"}
        if "commit" in data:
            return data | {"check": "commit"}
        return data | {"check": "changed"}

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        if self.check != "changed" and (self.matching or self.never):
            raise ValueError("matching and never go with git: changed")
        if self.check != "changed" and "since" in self.model_fields_set:
            raise ValueError("since goes with git: changed")
        for glob in (*(self.matching or ()), *(self.never or ())):
            # A glob that can match nothing would guard nothing.
            _require_template(glob)
        if self.commit is not None:
            if self.check != "commit":
                raise ValueError("commit goes with git: commit")
            _require_template(self.commit)
        return self

    @property
    def described(self) -> str:
        """Say in a few words what is looked at."""
        what = ", ".join((*(self.matching or ()), *(f"not {glob}" for glob in self.never or ())))
        return f"git {self.check}" + (f" {what}" if what else "")


ReportSettings = Annotated[
    JUnitSettings | CoverageSettings | JsonSettings | CountSettings | TextSettings,
    BeforeValidator(lambda value: value if isinstance(value, BaseModel) else _report(value)),
]


def _report(value: Any) -> ProbeSettings:
    names = {
        made.probe
        for made in (JUnitSettings, CoverageSettings, JsonSettings, CountSettings, TextSettings)
    }
    settings = parse_probe(value)
    if settings.probe not in names:
        raise ValueError(f"a report is read by one of {', '.join(sorted(names))}")
    return settings


class CommandSettings(ProbeSettings):
    """The server runs a command that a person trusted, and reads what it wrote or came to."""

    probe = "command"
    main = "name"
    gives = Known.EXECUTED

    name: str | None = Field(None, min_length=1, description="A name in .praxis-os/commands.yaml")
    argv: tuple[str, ...] | None = Field(
        None, min_length=1, description="The command itself, program first; there is no shell"
    )
    timeout: float = Field(600, gt=0, le=86_400, description="Seconds, with argv")
    env: Names = Field((), description="Environment variables to pass, or NAME=value, with argv")
    report: ReportSettings | None = Field(
        None, description="A probe that reads a file which this run wrote"
    )
    exit_codes: tuple[int, ...] = Field(
        (0,), min_length=1, description="Exit codes that mean that the command did its work"
    )

    @model_validator(mode="after")
    def _one_command(self) -> Self:
        if (self.name is None) == (self.argv is None):
            raise ValueError("a command needs either name or argv")
        if self.name is not None and {"timeout", "env"} & self.model_fields_set:
            raise ValueError("timeout and env of a named command stand in .praxis-os/commands.yaml")
        return self

    @property
    def described(self) -> str:
        """Say in a few words what is looked at."""
        what = f"command {self.name or ' '.join(self.argv or ())}"
        return what + (f", then {self.report.described}" if self.report else "")


class ApprovalSettings(ProbeSettings):
    """A person says yes; nobody else can."""

    probe = "approval"
    main = "question"
    gives = Known.APPROVED

    question: str = Field(min_length=1, max_length=1_000, description="What the person is asked")
    of: Annotated[tuple[PathTemplate, ...], BeforeValidator(_as_list)] = Field(
        (), description="Files that are approved; the approval is void when they change"
    )

    @property
    def described(self) -> str:
        """Say in a few words what is looked at."""
        return f"approval: {self.question}"


KNOWN_PROBES: dict[str, type[ProbeSettings]] = {
    made.probe: made
    for made in (
        FileSettings,
        CountSettings,
        TextSettings,
        JsonSettings,
        YamlSettings,
        TomlSettings,
        JUnitSettings,
        CoverageSettings,
        GitSettings,
        CommandSettings,
        ApprovalSettings,
    )
}
"""Settings by the probe's name; installed packages add theirs."""


def parse_probe(value: Any) -> ProbeSettings:
    """Return the settings that one mapping under `verify` gives; raises ValueError."""
    if not isinstance(value, Mapping):
        raise ValueError(  # noqa: TRY004 - pydantic makes a refusal of a ValueError only
            f"verify takes a probe, such as {{file: path}}, not {value!r}"[:200]
        )
    names = [key for key in value if key in KNOWN_PROBES]
    # `count` is a probe, and a setting of others.
    named = [name for name in names if name != CountSettings.probe] or names
    if len(named) != 1:
        raise ValueError(
            f"unknown probe in verify: {list(value)}; one of {', '.join(sorted(KNOWN_PROBES))}"
            if not named
            else f"verify names two probes, {named[0]} and {named[1]}; write a list"
        )
    probe = KNOWN_PROBES[named[0]]
    main, others = value[named[0]], {k: v for k, v in value.items() if k != named[0]}
    settings = dict(main) if isinstance(main, Mapping) else {probe.main: main}
    twice = settings.keys() & others.keys()
    if twice:
        raise ValueError(f"verify says {min(twice)!r} twice")
    return probe.model_validate(settings | others)


def parse_verify(value: Any) -> tuple[ProbeSettings, ...]:
    """Return the probes under `verify`, in the author's order; raises ValueError."""
    listed = value if isinstance(value, list | tuple) else [value]
    if not listed:
        raise ValueError("verify is empty")
    return tuple(parse_probe(item) for item in listed)
