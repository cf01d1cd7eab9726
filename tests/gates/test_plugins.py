"""Probes of other packages: real installed ones, good and broken."""

import logging
import sys
from types import MappingProxyType

import pytest
from pydantic import ValidationError

from mcp_server.gates.evaluation import evaluate
from mcp_server.gates.model import Gate
from mcp_server.gates.observation import Judgement, Known
from mcp_server.gates.plugins import GROUP, load_probes
from mcp_server.gates.probe_settings import KNOWN_PROBES, FileSettings
from mcp_server.gates.probes.files import ProjectFiles
from mcp_server.gates.probes.observer import Observer
from tests.gates.probes.probe_builders import look_at, written

BUILT_IN = MappingProxyType(dict(KNOWN_PROBES))

LINES = """
from mcp_server.gates.observation import LookFailedError, LookUnavailableError
from mcp_server.gates.probe_settings import Paths, ProbeSettings
from mcp_server.gates.probes.look import Found, ProbeKind


class LinesSettings(ProbeSettings):
    probe = "lines"

    path: Paths
    most: int = 100


def look_lines(settings, look):
    if look.facts.options.get("away"):
        raise LookUnavailableError("lines is away", "Bring it back.")
    [file] = look.files.read_all(look.glob(settings.path[0]))
    lines = len(file.text().splitlines())
    if lines > settings.most:
        raise LookFailedError(f"{file.path} has {lines} lines", file.source)
    return Found(lines, (file.source,))


kind = ProbeKind(LinesSettings, look_lines)
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Install a distribution with one module and its entry points; what was known comes back."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)

    def add(module, code, **entries):
        """Add the module, and an entry point for each name: what in the module it names."""
        written(folder, f"{module}.py", code)
        points = "\n".join(f"{name} = {module}:{what}" for name, what in entries.items())
        written(folder, f"{module}-1.0.dist-info/entry_points.txt", f"[{GROUP}]\n{points}\n")
        written(
            folder,
            f"{module}-1.0.dist-info/METADATA",
            f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n",
        )

    load_probes.cache_clear()
    yield add
    load_probes.cache_clear()
    KNOWN_PROBES.clear()
    KNOWN_PROBES.update(BUILT_IN)
    for name in [name for name in sys.modules if name.startswith("aos_")]:
        del sys.modules[name]


def named(**settings):
    return Gate.model_validate({
        "evidence_schema": {"a": {"type": "integer", "verify": {"lines": "a.txt", **settings}}}
    })  # fmt: skip


def judged(root, gate, claims, **facts):
    observer = Observer(ProjectFiles(root), load_probes())
    return evaluate(gate, claims, observer.observe(gate, claims, look_at(root, **facts).facts))


def test_without_packages_the_built_in_probes_are_known(install):
    assert load_probes() == {}
    assert dict(KNOWN_PROBES) == dict(BUILT_IN)


def test_a_gate_that_names_the_probe_of_a_package_is_judged_through_it(install, tmp_path):
    install("aos_lines", LINES, whatever="kind")
    written(tmp_path, "a.txt", "1\n2\n3\n")
    with pytest.raises(ValidationError, match=r"unknown probe in verify: \['lines'\]"):
        named()

    assert list(load_probes()) == ["lines"]

    verdict = judged(tmp_path, named(), {})
    assert (verdict.outcome, verdict.values, verdict.known) == (
        Judgement.PASS, {"a": 3}, {"a": Known.OBSERVED},
    )  # fmt: skip
    assert judged(tmp_path, named(), {"a": 4}).problems == (
        "a: claimed 4, but lines shows 3; leave the field out, or submit what is true",
    )
    assert judged(tmp_path, named(most=2), {"a": 3}).problems == ("a: a.txt has 3 lines",)
    away = judged(tmp_path, named(), {"a": 3}, options={"away": True})
    assert (away.outcome, away.unverified, away.remedies) == (
        Judgement.COULD_NOT_VERIFY, ("a: lines is away",), ("Bring it back.",),
    )  # fmt: skip


def test_its_settings_are_checked_when_the_gate_is_read(install):
    install("aos_lines", LINES, lines="kind")
    load_probes()

    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        named(least=1)
    with pytest.raises(ValidationError, match="leaves the project"):
        Gate.model_validate({"evidence_schema": {"a": {"verify": {"lines": "../a.txt"}}}})


def test_packages_are_loaded_once(install):
    install("aos_lines", LINES, lines="kind")

    assert load_probes() is load_probes()


BROKEN = {
    "is not there": (None, "kind", "probe lines cannot be loaded: No module named"),
    "lacks what it names": (
        LINES, "kinds",
        "probe lines cannot be loaded: module 'aos_broken' has no attribute 'kinds'",
    ),
    "lacks what it needs": (
        f"import aos_absent\n{LINES}", "kind",
        "probe lines cannot be loaded: No module named 'aos_absent'",
    ),
    "does not parse": ("kind = (", "kind", "probe lines cannot be loaded: '(' was never closed"),
    "names no kind": (
        LINES, "look_lines", "probe lines is not used: it is no ProbeKind that looks",
    ),
    "names a class": (
        LINES, "ProbeKind", "probe lines is not used: it is no ProbeKind that looks",
    ),
    "has settings of another kind": (
        LINES + "kind = ProbeKind(dict, look_lines)", "kind",
        "probe lines is not used: it has no ProbeSettings",
    ),
    "has settings that are no class": (
        LINES + "kind = ProbeKind('lines', look_lines)", "kind",
        "probe lines is not used: it has no ProbeSettings",
    ),
    "cannot look": (
        LINES + "kind = ProbeKind(LinesSettings, None)", "kind",
        "probe lines is not used: it is no ProbeKind that looks",
    ),
    "raises whatever it likes": (
        "raise ZeroDivisionError('on purpose')", "kind",
        "probe lines cannot be loaded: on purpose",
    ),
    "has no name at all": (
        LINES + "LinesSettings.probe = None", "kind",
        "probe lines is not used: its settings name no probe: None",
    ),
    "is named like a setting": (
        LINES + "LinesSettings.probe = 'pattern'", "kind",
        "probe lines is not used: pattern is a setting of another probe",
    ),
    "has settings without a name": (
        LINES + "kind = ProbeKind(ProbeSettings, look_lines)", "kind",
        "probe lines is not used: its settings name no probe: ''",
    ),
    "has a name that is none": (
        LINES + "LinesSettings.probe = 'a b'", "kind",
        "probe lines is not used: its settings name no probe: 'a b'",
    ),
    "takes a built-in name": (
        LINES + "LinesSettings.probe = 'file'", "kind",
        "probe lines is not used: there is a probe file already",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("code", "what", "told"), BROKEN.values(), ids=BROKEN)
def test_a_package_that_is_broken_is_logged_and_left_out(
    install, tmp_path, caplog, code, what, told
):
    install("aos_broken", code or "", lines=what)
    if code is None:
        (tmp_path / "site/aos_broken.py").unlink()
    install("aos_good", LINES.replace('"lines"', '"rows"'), rows="kind")

    with caplog.at_level(logging.WARNING):
        loaded = load_probes()

    assert list(loaded) == ["rows"]
    assert KNOWN_PROBES.keys() == BUILT_IN.keys() | {"rows"}
    assert KNOWN_PROBES["file"] is FileSettings
    [record] = caplog.records
    assert (record.name, record.levelname) == ("mcp_server.gates.plugins", "WARNING")
    assert record.getMessage().startswith(told)
    with pytest.raises(ValidationError, match=r"unknown probe in verify: \['lines'\]"):
        named()


def test_of_two_packages_with_one_name_only_one_is_used(install, caplog):
    install("aos_lines", LINES, first="kind")
    install("aos_more_lines", LINES, second="kind")

    loaded = load_probes()

    assert list(loaded) == ["lines"]
    assert KNOWN_PROBES["lines"].__module__ == loaded["lines"].__module__
    [message] = caplog.messages
    assert message.endswith("is not used: there is a probe lines already")
