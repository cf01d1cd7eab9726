"""The registry's entry for the server is what the registry takes, and what the package is.

The registry's own schema is not at hand offline: `SCHEMA` says in our words what its version of
2025-12-11 asks of the parts that we use, and that there are no others.
"""

import json
import re
import tomllib
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from mcp_server import __version__
from mcp_server.config import PREFIX, Settings, load_settings

ROOT = Path(__file__).resolve().parent.parent
ENTRY = json.loads((ROOT / "server.json").read_text(encoding="utf-8"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def closed(required: tuple[str, ...], **properties: object) -> dict[str, object]:
    """The schema of an object that has these properties and no others."""
    return {
        "type": "object",
        "required": list(required),
        "properties": properties,
        "additionalProperties": False,
    }


def text(longest: int = 10_000, pattern: str = "") -> dict[str, object]:
    return {"type": "string", "minLength": 1, "maxLength": longest, "pattern": pattern}


URL = text(pattern=r"^https://\S+$")
VERSION = text(255, r"^\d[^\s^~<>=*x]*$")
ARGUMENT = closed(("type", "value"), type={"const": "positional"}, value=text())
VARIABLE = closed(
    ("name", "description"),
    name=text(),
    description=text(),
    isRequired={"type": "boolean"},
    isSecret={"type": "boolean"},
    format={"enum": ["string", "number", "boolean", "filepath"]},
    default=text(),
)
PACKAGE = closed(
    ("registryType", "identifier", "version", "transport"),
    registryType={"const": "pypi"},
    identifier=text(),
    version=VERSION,
    runtimeHint={"enum": ["npx", "uvx", "docker", "dnx"]},
    transport=closed(("type",), type={"const": "stdio"}),
    packageArguments={"type": "array", "items": ARGUMENT},
    environmentVariables={"type": "array", "items": VARIABLE},
)
SCHEMA = closed(
    ("$schema", "name", "description", "version"),
    **{
        "$schema": {
            "const": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"
        }
    },
    name=text(200, r"^[a-zA-Z0-9.-]{1,}/[a-zA-Z0-9._-]{1,}$"),
    title=text(100),
    description=text(100),
    version=VERSION,
    repository=closed(("url", "source"), url=URL, source={"const": "github"}),
    packages={"type": "array", "minItems": 1, "items": PACKAGE},
)


def errors_of(entry: object) -> list[str]:
    return [error.message for error in Draft202012Validator(SCHEMA).iter_errors(entry)]


def test_the_entry_is_what_the_registry_takes():
    Draft202012Validator.check_schema(SCHEMA)
    assert errors_of(ENTRY) == []


@pytest.mark.parametrize(
    "broken",
    [
        {"description": "x" * 101},
        {"name": "aos-workflow"},
        {"name": "a/b/c"},
        {"version": "^1.0"},
        {"repository": {"url": "https://example.org/x"}},
        {"packages": [{"registry_type": "pypi"}]},
        {"status": "active"},
    ],
)
def test_what_the_registry_does_not_take_is_noticed(broken):
    assert errors_of({**ENTRY, **broken}) != []


def test_the_registry_finds_the_name_in_the_package_again():
    readme = (ROOT / PROJECT["readme"]).read_text(encoding="utf-8")
    assert re.findall(r"<!-- mcp-name: (\S+) -->", readme) == [ENTRY["name"]]
    assert ENTRY["name"].startswith("io.github.")


def test_the_entry_names_this_package_and_starts_it():
    (package,) = ENTRY["packages"]
    assert (package["identifier"], package["version"]) == (PROJECT["name"], __version__)
    assert ENTRY["version"] == __version__
    assert PROJECT["scripts"][package["identifier"]] == "mcp_server.cli:main"
    assert [argument["value"] for argument in package["packageArguments"]] == ["serve"]


def test_each_setting_can_be_set_and_its_default_is_the_servers(tmp_path):
    (package,) = ENTRY["packages"]
    variables = package["environmentVariables"]
    assert [variable["name"] for variable in variables] == [
        f"{PREFIX}{name.upper()}" for name in Settings.model_fields
    ]
    defaults = {one["name"]: one["default"] for one in variables if "default" in one}
    assert load_settings(defaults, tmp_path) == load_settings({}, tmp_path)
    assert not any(variable["isRequired"] for variable in variables)
