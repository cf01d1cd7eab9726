"""The versions that run: of Python, of this package, and of what it needs."""

import operator
import platform
import re
from collections.abc import Callable, Iterator, Mapping
from importlib import metadata

from mcp_server import __version__
from mcp_server.doctor.findings import Finding, fine, note, problem
from mcp_server.doctor.subject import Subject

PACKAGE = "aos-workflow"
SDK = "mcp"

_REQUIREMENT = re.compile(r"(?P<name>[\w.-]+)\s*(?P<range>[^;]*)")
_CLAUSE = re.compile(r"(>=|<=|==|!=|~=|<|>)\s*([\d.]+)")
_SIGNS: Mapping[str, Callable[[tuple[int, ...], tuple[int, ...]], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    "~=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
_RELEASE = re.compile(r"\d+(?:\.\d+)*")


def check_software(_subject: Subject) -> Iterator[Finding]:
    """Say which versions run, and which of them are not supported."""
    try:
        described = metadata.distribution(PACKAGE)
    except metadata.PackageNotFoundError:
        yield note(f"{PACKAGE} {__version__} is not installed as a package: what it needs is not"
                   " known", f"pipx install {PACKAGE}")  # fmt: skip
        return
    wanted = described.metadata["Requires-Python"] or ""
    yield _told("Python", platform.python_version(), wanted, "Install a Python that fits, then"
                f" {PACKAGE} in it.")  # fmt: skip
    yield fine(f"{PACKAGE} {__version__}")
    for requirement in described.requires or ():
        if "extra ==" not in requirement:
            yield from _check_requirement(requirement)


def in_range(version: str, wanted: str) -> bool:
    """Tell whether a version fits clauses such as `>=2.3,<3`; suffixes do not count."""
    return all(_holds(version, sign, bound) for sign, bound in _CLAUSE.findall(wanted))


def _check_requirement(requirement: str) -> Iterator[Finding]:
    found = _REQUIREMENT.match(requirement)
    if not found:
        return
    name, wanted = found["name"], found["range"].strip()
    mend = f'pip install "{name}{wanted}"'
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        yield problem(f"{name} is not installed", mend)
        return
    if name == SDK or not in_range(version, wanted):
        yield _told(name, version, wanted, mend)


def _told(name: str, version: str, wanted: str, mend: str) -> Finding:
    if in_range(version, wanted):
        return fine(f"{name} {version} ({wanted})")
    return problem(f"{name} {version} is not supported: it must be {wanted}", mend)


def _holds(version: str, sign: str, bound: str) -> bool:
    there, limit = _release(version), _release(bound)
    length = max(len(there), len(limit))
    if sign == "~=" and there[: len(limit) - 1] != limit[:-1]:
        return False
    return _SIGNS[sign](_padded(there, length), _padded(limit, length))


def _padded(release: tuple[int, ...], length: int) -> tuple[int, ...]:
    return release + (0,) * (length - len(release))


def _release(version: str) -> tuple[int, ...]:
    found = _RELEASE.match(version)
    return tuple(map(int, found[0].split("."))) if found else ()
