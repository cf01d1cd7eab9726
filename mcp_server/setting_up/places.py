"""Where the files of clients are on a machine: platform, environment and home as they are given."""

import os
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from mcp_server.errors import ConfigurationError
from mcp_server.setting_up.clients import Base, ConfigFile, Place


@dataclass(frozen=True, slots=True)
class Machine:
    """What a place or a command depends on; `scripts` is where this Python's commands are."""

    platform: str
    environment: Mapping[str, str]
    home: Path
    prefix: Path
    scripts: Path
    python: Path

    @classmethod
    def here(cls) -> Self:
        """Return the machine that this runs on; raises ConfigurationError without a home."""
        try:
            home = Path.home()
        except RuntimeError as error:
            raise ConfigurationError(
                "this user has no home folder", remediation="Set HOME, then run it again."
            ) from error
        return cls(
            platform=sys.platform,
            environment=os.environ,
            home=home,
            prefix=Path(sys.prefix),
            scripts=Path(sysconfig.get_path("scripts")),
            python=Path(sys.executable),
        )


def config_path(config: ConfigFile, machine: Machine, root: Path | None) -> Path:
    """Return where a configuration file is, or where it would be made."""
    places = config_paths(config, machine, root)
    return next((path for path in places if path.exists() or path.is_symlink()), places[-1])


def config_paths(config: ConfigFile, machine: Machine, root: Path | None) -> list[Path]:
    """Return every place where a configuration file may be; `root` is the project."""
    return [_path(place, machine, root) for place in config.places]


def _path(place: Place, machine: Machine, root: Path | None) -> Path:
    named = machine.environment.get(place.variable) if place.variable else None
    folder = Path(named) if named else _base(place.base, machine, root) / place.folder
    return folder / place.file


def _base(base: Base, machine: Machine, root: Path | None) -> Path:
    config = Path(machine.environment.get("XDG_CONFIG_HOME") or machine.home / ".config")
    match base:
        case Base.PROJECT:
            if root is None:
                raise ValueError("the file of a project has no place without a project")
            return root
        case Base.HOME:
            return machine.home
        case Base.CONFIG:
            return config
        case Base.APP_DATA if machine.platform == "darwin":
            return machine.home / "Library" / "Application Support"
        case Base.APP_DATA if machine.platform == "win32":
            data = machine.environment.get("APPDATA")
            return Path(data) if data else machine.home / "AppData" / "Roaming"
        case Base.APP_DATA:
            return config
