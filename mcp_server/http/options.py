"""What can be set about serving over HTTP: from flags, then `AOS_WORKFLOW_HTTP_*`, then defaults.

An address that others can reach, or a name that others reach it by, is refused without
authentication: whoever can call the tool can have files of the project looked at.
"""

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError

from mcp_server import config
from mcp_server.errors import ConfigurationError

PREFIX = f"{config.PREFIX}HTTP_"
ENDPOINT = "/mcp"
DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8000
LOOPBACK = ("127.0.0.1", "localhost", "::1")

_HIGHEST_PORT = 65_535
_KEY_LENGTH = 32


def _split(value: Any) -> Any:
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_split)]


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen."""

    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Return the address of HOST:PORT, HOST, :PORT or PORT; raises ConfigurationError."""
        try:
            found = urlsplit(f"//:{text}" if text.isdigit() else f"//{text}")
            port = DEFAULT_PORT if found.port is None else found.port
        except ValueError as error:
            raise _no_address(text) from error
        bare = found.netloc == found.geturl().removeprefix("//")
        if not bare or "@" in text or any(map(str.isspace, text)):
            raise _no_address(text)
        return cls(found.hostname or DEFAULT_HOST, port)

    @property
    def is_loopback(self) -> bool:
        """Tell whether nobody outside of this machine can reach it."""
        return is_loopback(self.host)

    @property
    def shown(self) -> str:
        """The address as it stands in a URL."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class HttpOptions(BaseModel):
    """Everything that can be set; each field is also the variable AOS_WORKFLOW_HTTP_<NAME>."""

    model_config = ConfigDict(frozen=True)

    public_url: str | None = Field(
        None, description="The endpoint's URL as clients know it, behind a proxy"
    )
    allowed_hosts: Names = Field(
        (), description="Further names (or name:port) that requests may come for, with commas"
    )
    allowed_origins: Names = Field(
        (), description="Further origins of web pages that may call, with commas"
    )
    token_file: Path | None = Field(None, description="The token file; default: the user's own")
    jwt_issuer: str | None = Field(None, description="Issuer whose JSON web tokens are accepted")
    jwt_audience: str | None = Field(None, description="Audience that a JSON web token must have")
    jwks: str | None = Field(
        None, description="File or URL of the issuer's keys; default: the issuer's metadata say"
    )
    jwt_admin_scope: str = Field(
        "aos-workflow:admin", description="Scope whose bearers see the sessions of all"
    )
    request_key: SecretStr | None = Field(
        None, description="Secret of 32 characters or more that replicas share"
    )
    read_timeout: float = Field(
        30.0, gt=0, allow_inf_nan=False, description="Seconds in which a request must be there"
    )
    write_timeout: float = Field(
        30.0, gt=0, allow_inf_nan=False, description="Seconds that a client may take nothing"
    )
    idle_timeout: int = Field(
        60, gt=0, description="Seconds that a connection may wait for its next request"
    )
    drain_timeout: int = Field(
        60, gt=0, description="Seconds that running calls have when the server is to end"
    )
    max_connections: int = Field(1_000, gt=0, description="Connections at once")


def load_options(
    flags: Mapping[str, Any], environment: Mapping[str, str] | None = None
) -> HttpOptions:
    """Return the options of this process, `flags` before variables; raises ConfigurationError."""
    environment = os.environ if environment is None else environment
    values = {
        name: environment[f"{PREFIX}{name.upper()}"]
        for name in tuple(HttpOptions.model_fields)
        if environment.get(f"{PREFIX}{name.upper()}")
    }
    try:
        options = HttpOptions.model_validate(
            values | {name: value for name, value in flags.items() if value}
        )
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise _unusable(str(first["loc"][0]), first["msg"]) from error
    _require_whole(options)
    return options


def require_safe(address: Address, options: HttpOptions, *, authenticated: bool) -> None:
    """Raise ConfigurationError where strangers could call a server that asks nobody who they are.

    A proxy that runs beside the server reaches it at its loopback address, for everybody that
    reaches the proxy: names that are not this machine's count like an address that is not.
    """
    if authenticated:
        return
    names = [address.host, *(_host_of(name) for name in options.allowed_hosts)]
    names += [urlsplit(options.public_url).hostname or ""] if options.public_url else []
    foreign = next((name for name in names if not is_loopback(name)), None)
    if foreign is not None:
        raise ConfigurationError(
            f"{foreign or 'every address'} can be reached by others, and nothing says who may call",
            remediation="Make a token with `aos-workflow token new NAME`, or name an issuer with"
            f" --jwt-issuer and --jwt-audience; or serve on {DEFAULT_HOST}.",
        )


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address is this machine's own."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _host_of(name: str) -> str:
    return urlsplit(f"//{name}").hostname or ""


def _require_whole(options: HttpOptions) -> None:
    if (options.jwt_issuer is None) != (options.jwt_audience is None):
        missing = "jwt_audience" if options.jwt_issuer else "jwt_issuer"
        raise _unusable(missing, "an issuer and an audience go together")
    if options.jwks and not options.jwt_issuer:
        raise _unusable("jwks", "keys are of an issuer, and none is named")
    for name in ("jwt_issuer", "public_url"):
        url = getattr(options, name)
        if url is not None and not _is_web_address(url):
            raise _unusable(name, "it must be an https URL (http only on this machine)")
    key = options.request_key.get_secret_value() if options.request_key else None
    if key is not None and len(key) < _KEY_LENGTH:
        raise _unusable("request_key", f"it must have at least {_KEY_LENGTH} characters")


def _is_web_address(url: str) -> bool:
    try:
        found = urlsplit(url)
        host = found.hostname or ""
        valid = 0 < (found.port or 1) <= _HIGHEST_PORT and not (found.query or found.fragment)
    except ValueError:
        return False
    secure = found.scheme == "https" or (found.scheme == "http" and is_loopback(host))
    return valid and secure and bool(host)


def _unusable(name: str, reason: str) -> ConfigurationError:
    variable = f"{PREFIX}{name.upper()}"
    flag = f"--{name.replace('_', '-')}"
    return ConfigurationError(
        f"{variable} ({flag}) is not usable: {reason}",
        remediation=f"Correct or leave out {flag} or {variable}, then start the server again.",
    )


def _no_address(text: str) -> ConfigurationError:
    return ConfigurationError(
        f"{text[:60]!r} is no address to listen on",
        remediation=f"Write HOST:PORT, such as {DEFAULT_HOST}:{DEFAULT_PORT}.",
    )
