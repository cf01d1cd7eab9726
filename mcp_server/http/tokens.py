"""The token file: who may call over HTTP, by the hash of a secret that was shown once.

A token is 256 random bits, so a plain SHA-256 of it gives nothing away and is quick to compare.
The file holds no secret. It is looked at again whenever it changes, so that a token that was
revoked is refused by every server at once; a file that cannot be read lets nobody in.
"""

import hashlib
import hmac
import logging
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

import platformdirs
from mcp.server.auth.provider import AccessToken
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mcp_server.core import durable
from mcp_server.core.callers import Caller
from mcp_server.core.file_locks import hold
from mcp_server.core.state_manager import utc_now
from mcp_server.errors import ConfigurationError, InvalidArgumentError, NotFoundError, quoted
from mcp_server.http.credentials import credential

MARK = "aosw_"
"""What every token begins with, so that scanners for secrets can know one."""

ADMIN = "admin"
ISSUER = "token"

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_LOCK_SECONDS = 10.0
_NAME = r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$"
"""pydantic's `$` is the very end: no newline passes before it."""

logger = logging.getLogger(__name__)


class Token(BaseModel):
    """One token, without its secret."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=_NAME)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    created: datetime
    expires: datetime | None = None
    admin: bool = False

    @property
    def caller(self) -> Caller:
        """Who calls with it."""
        return Caller(f"{ISSUER}:{self.name}", confined=not self.admin)

    def is_expired(self, now: datetime) -> bool:
        """Tell whether it is no longer good."""
        return self.expires is not None and self.expires <= now


class Tokens(BaseModel):
    """What the file holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    tokens: tuple[Token, ...] = ()

    def named(self, name: str) -> Token | None:
        """Return the token of a name."""
        return next((token for token in self.tokens if token.name == name), None)


def default_token_file() -> Path:
    """Return where this user's tokens are kept, outside of every project."""
    return Path(platformdirs.user_config_dir("aos-workflow", appauthor=False)) / "tokens.json"


class TokenFile:
    """The tokens of one file. Safe to share between threads and processes."""

    def __init__(self, path: Path, clock: Callable[[], datetime] = utc_now) -> None:
        """Keep tokens at `path`, which need not exist."""
        self.path = path
        self._clock = clock
        self._seen: tuple[tuple[int, ...], Tokens] | None = None

    def tokens(self) -> tuple[Token, ...]:
        """Return all tokens, oldest first; raises ConfigurationError."""
        return self._read().tokens

    def find(self, secret: str) -> Token | None:
        """Return the token whose secret this is, if it is still good."""
        given = _hash(secret)
        now = self._clock()
        # All are compared, so that the time tells nothing of which one came close.
        fitting = [t for t in self._read().tokens if hmac.compare_digest(t.sha256, given)]
        return next((token for token in fitting if not token.is_expired(now)), None)

    def new(self, name: str, *, lasting: timedelta | None = None, admin: bool = False) -> str:
        """Add a token and return its secret, which is kept nowhere; raises WorkflowError."""
        secret = MARK + secrets.token_urlsafe(32)
        now = self._clock()
        try:
            expires = now + lasting if lasting is not None else None
            token = Token(
                name=name, sha256=_hash(secret), created=now, expires=expires, admin=admin
            )
        except (ValidationError, OverflowError) as error:
            raise InvalidArgumentError(
                f"{quoted(name)} is no name of a token, or it would last too long",
                remediation="Use 1 to 64 letters, digits, dots, dashes or @, such as ci-runner.",
            ) from error
        with self._held():
            held = self._read()
            if held.named(name) is not None:
                raise InvalidArgumentError(
                    f"there is a token {name} already",
                    remediation=f"Choose another name, or `aos-workflow token revoke {name}`.",
                )
            self._write(Tokens(tokens=(*held.tokens, token)))
        return secret

    def revoke(self, name: str) -> Token:
        """Take a token away and return it; raises NotFoundError."""
        with self._held():
            held = self._read()
            found = held.named(name)
            if found is None:
                raise NotFoundError(
                    f"there is no token {quoted(name)}",
                    remediation="`aos-workflow token list` shows those that there are.",
                )
            self._write(Tokens(tokens=tuple(t for t in held.tokens if t is not found)))
        return found

    @contextmanager
    def _held(self) -> Iterator[None]:
        try:
            self.path.parent.mkdir(mode=durable.PRIVATE_FOLDER, parents=True, exist_ok=True)
        except OSError as error:
            raise self._unusable(f"its folder cannot be made ({error.strerror})") from error
        with hold(self.path.with_name(f"{self.path.name}.lock"), "the token file", _LOCK_SECONDS):
            yield

    def _write(self, tokens: Tokens) -> None:
        try:
            durable.write_whole(self.path, tokens.model_dump_json(indent=2).encode() + b"\n")
        except OSError as error:
            raise self._unusable(f"it cannot be written ({error.strerror})") from error

    def _read(self) -> Tokens:
        try:
            # Not `durable.read_file`: a mounted secret is a link, and a person named this file.
            with self.path.open("rb") as file:
                found = os.fstat(file.fileno())
                state = (found.st_ino, found.st_size, found.st_mtime_ns, found.st_mode)
                if self._seen is not None and self._seen[0] == state:
                    return self._seen[1]
                if os.name != "nt" and found.st_mode & _OTHERS_WRITE:
                    raise self._unusable("other users may write it")
                tokens = Tokens.model_validate_json(file.read())
        except FileNotFoundError:
            return Tokens()
        except OSError as error:
            raise self._unusable(f"it cannot be read ({error.strerror})") from error
        except ValidationError as error:
            raise self._unusable("it is not what `aos-workflow token` writes") from error
        self._seen = (state, tokens)
        return tokens

    def _unusable(self, reason: str) -> ConfigurationError:
        return ConfigurationError(
            f"the token file {self.path.name!r} is not usable: {reason}",
            remediation="Correct its rights (chmod 600), or name another one with --token-file.",
        )


class FileVerifier:
    """Says whose a token of the file is, for the SDK."""

    def __init__(self, file: TokenFile) -> None:
        """Look tokens up in `file`."""
        self._file = file

    async def verify_token(self, token: str) -> AccessToken | None:
        """Return the credential of a token, or None."""
        if not token.startswith(MARK):
            return None
        try:
            found = self._file.find(token)
        except ConfigurationError as error:
            logger.warning("nobody is let in: %s. %s", error.message, error.remediation)
            return None
        if found is None:
            return None
        scopes = [ADMIN] if found.admin else []
        return credential(found.caller, issuer=ISSUER, subject=found.name, scopes=scopes)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()
