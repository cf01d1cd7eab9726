"""What is examined: the project, the settings, this machine; each with the error if it has one."""

from dataclasses import dataclass
from pathlib import Path

from mcp_server.config import Root, Settings, discover_root, load_settings
from mcp_server.errors import ConfigurationError
from mcp_server.server.services import Services, services_for
from mcp_server.setting_up.places import Machine


@dataclass(frozen=True, slots=True)
class Subject:
    """What the checks look at; `services` are those of the project with the usual limits."""

    machine: Machine
    root: Root | ConfigurationError
    settings: Settings | ConfigurationError
    services: Services | ConfigurationError
    trust_folder: Path

    @classmethod
    def of(cls, machine: Machine, project: Path | None, trust_folder: Path) -> "Subject":
        """Find out what there is to examine."""
        settings: Settings | ConfigurationError
        services: Services | ConfigurationError
        try:
            root = discover_root(machine.environment, project)
        except ConfigurationError as error:
            return cls(machine, error, error, error, trust_folder)
        try:
            settings = load_settings(machine.environment, project)
        except ConfigurationError as error:
            settings = error
        try:
            # With settings that cannot be read, the rest is looked at all the same.
            usable = settings if isinstance(settings, Settings) else None
            services = services_for(usable or Settings.model_validate({"project": root.path}))
        except ConfigurationError as error:
            services = error
        return cls(machine, root, settings, services, trust_folder)

    @property
    def folder(self) -> Path | None:
        """The project's folder, if one was found."""
        return self.root.path if isinstance(self.root, Root) else None
