"""Versions, and which of them are supported."""

import platform
from importlib import metadata

import pytest

from mcp_server.doctor.software import check_software, in_range
from tests.doctor.subjects import notes, problems, sound, subject


@pytest.fixture
def there(project, tmp_path):
    return subject(project, tmp_path)


def test_this_environment_is_supported(there):
    told = sound(list(check_software(there)))
    assert told[0] == f"Python {platform.python_version()} (>=3.11)"
    assert told[1].startswith("aos-workflow ")
    assert told[2].startswith(f"mcp {metadata.version('mcp')} (")


def test_a_version_that_is_not_supported_is_told_with_what_mends_it(there, monkeypatch):
    monkeypatch.setattr(metadata, "version", lambda name: "1.9.0" if name == "mcp" else "99")
    found = dict(problems(check_software(there)))
    (told,) = [what for what in found if what.startswith("mcp ")]
    assert told.startswith("mcp 1.9.0 is not supported: it must be ")
    assert found[told].startswith('pip install "mcp')


def test_an_old_python_is_told(there, monkeypatch):
    monkeypatch.setattr(platform, "python_version", lambda: "3.10.4")
    ((what, _),) = problems(check_software(there))
    assert what == "Python 3.10.4 is not supported: it must be >=3.11"


def test_a_package_that_is_not_there_is_told(there, monkeypatch):
    real = metadata.version

    def version(name: str) -> str:
        if name == "regex":
            raise metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(metadata, "version", version)
    ((what, _),) = problems(check_software(there))
    assert what == "regex is not installed"


def test_a_checkout_that_is_not_installed_is_worth_knowing(there, monkeypatch):
    def none(name: str) -> metadata.Distribution:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", none)
    ((what, remedy),) = notes(check_software(there))
    assert "is not installed as a package" in what
    assert remedy == "pipx install aos-workflow"


@pytest.mark.parametrize(
    ("version", "wanted", "fits"),
    [
        ("2.3.0", ">=2.3,<3", True),
        ("2.3", ">=2.3.0", True),
        ("2.10.1", "<3,>=2.3", True),
        ("2.2.9", ">=2.3,<3", False),
        ("3.0.0rc1", ">=2.3,<3", False),
        ("1.4.5", "~=1.4.2", True),
        ("1.5.0", "~=1.4.2", False),
        ("1.4.1", "~=1.4.2", False),
        ("1.0", "!=1.0", False),
        ("1.0", "==1.0.0", True),
        ("1.1", ">1.1", False),
        ("1.1", "<=1.1", True),
        ("1.1", "", True),
    ],
)
def test_ranges_are_read_as_installers_read_them(version, wanted, fits):
    assert in_range(version, wanted) is fits
