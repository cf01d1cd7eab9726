"""The command probe: the server does the work itself, if a person trusted that very command.

The order of its checks: the command is one (from `.praxis-os/commands.yaml` or the gate), a person
trusted its content as it is now, it started and ended within its time, its exit code is one that
counts, and its report was written while it ran. Only what was trusted and then turned out
differently is final: a command that nobody knows gives way to a weaker probe.

The command runs below a supervisor (a process of its own) that ends it when this process dies.
Looks may come from several threads; `stop` may be called from any.
"""

import dataclasses
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mcp_server.gates.commands import COMMANDS_FILE, Command, CommandError, parse_commands
from mcp_server.gates.observation import LookFailedError, LookUnavailableError, Source
from mcp_server.gates.probe_settings import CommandSettings, ProbeSettings
from mcp_server.gates.probes import supervisor
from mcp_server.gates.probes.files import ProjectFiles, clock_grain
from mcp_server.gates.probes.look import Found, Look, Probe
from mcp_server.gates.trust import Trust, TrustStore, program_digest

TRUST_COMMAND = "aos-workflow trust"
TRUST_REMEDY = f"a person runs `{TRUST_COMMAND}` in the project, on a terminal"

MAX_TAIL = 500
MAX_VALUE = 200
MAX_TITLE = 80

_PASSED = frozenset(
    {"PATH", "HOME", "LANG", "TMPDIR", "TZ", "USER", "LOGNAME", "SYSTEMROOT", "COMSPEC", "PATHEXT",
     "TEMP", "TMP"}
)  # fmt: skip
_SECRET = re.compile(r"SECRET|TOKEN|PASSWORD|KEY", re.IGNORECASE)
_TERMINAL_CODE = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?|.)", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


_KILLED = {"exit_code": None, "timed_out": False, "cancelled": True, "output": "", "problem": None}
"""The result of a run whose supervisor was ended by others."""


@dataclass(frozen=True, slots=True)
class Run:
    """What came of one run; `before` are the reports as they stood when it started."""

    started: datetime
    before: frozenset[Source]
    exit_code: int | None
    timed_out: bool
    cancelled: bool
    output: str
    problem: str | None


class Executor:
    """Runs the commands of one project."""

    def __init__(
        self,
        root: Path,
        store: TrustStore,
        environment: Mapping[str, str],
        readers: Mapping[str, Probe],
    ) -> None:
        """Run in `root` what `store` says is trusted; `readers` are the probes for reports."""
        self._root = root.resolve()
        self._store = store
        self._environment = environment
        self._readers = readers
        self._files = ProjectFiles(self._root)
        self._hidden = _hidden_paths(root, environment)
        self._running: set[subprocess.Popen[bytes]] = set()

    def would_run(self, settings: CommandSettings) -> bool:
        """Tell whether the command is trusted right now, so that a look takes its time."""
        try:
            self._trusted(settings, self._files)
        except LookUnavailableError:
            return False
        return True

    def look_command(self, settings: CommandSettings, look: Look) -> Found:
        """Run the command, or take this verification's earlier run, and read what it came to.

        Raises LookFailedError and LookUnavailableError.
        """
        command = self._trusted(settings, look.files)
        key = f"run {command.name} {command.digest}"
        if key not in look.shared:
            look.shared[key] = self._run(command, self._reports(settings.report, look))
        run: Run = look.shared[key]
        title = self._title(command)
        self._require_ended(run, command)
        if run.exit_code not in settings.exit_codes:
            wanted = ", ".join(map(str, settings.exit_codes))
            raise LookFailedError(
                f"{title} ended with exit code {run.exit_code}, not {wanted}{self._tail(run)}"
            )
        if settings.report is None:
            return Found(self._value(run, look.type))
        return self._read_report(settings.report, look, run, title)

    def stop(self) -> None:
        """End what runs now, as the end of this process would."""
        for process in tuple(self._running):
            if process.stdin is not None:
                process.stdin.close()

    def _trusted(self, settings: CommandSettings, files: ProjectFiles) -> Command:
        command = self._command(settings, files)
        command = dataclasses.replace(command, program=program_digest(self._root, command.argv))
        match self._store.standing(self._root, command):
            case Trust.TRUSTED:
                return command
            case Trust.CHANGED:
                raise self._changed(self._title(command))
            case Trust.UNKNOWN:
                problem = self._store.problem(self._root)
                why = (
                    f": the folder of trusted commands is not believed, {problem}"
                    if problem
                    else ""
                )
                raise LookUnavailableError(
                    f"nobody has trusted {self._title(command)} in this project{why}", TRUST_REMEDY
                )

    def _command(self, settings: CommandSettings, files: ProjectFiles) -> Command:
        try:
            if settings.argv is not None:
                return Command(None, settings.argv, settings.timeout, settings.env, "the gate")
            name = settings.name or ""
            commands = parse_commands(self._definitions(files))
        except CommandError as error:
            where = "the gate" if settings.argv is not None else COMMANDS_FILE
            at = f"{where}:{error.line}" if error.line else where
            raise LookUnavailableError(
                self._clean(f"{at}: {error.reason}"), f"mend {at}, then {TRUST_REMEDY}", final=True
            ) from error
        if name in commands:
            return commands[name]
        if name in self._store.trusted_names(self._root):
            raise self._changed(f"command {name}")
        known = f"; there are: {', '.join(commands)}"[:200] if commands else ""
        raise LookUnavailableError(
            f"{COMMANDS_FILE} defines no command {name!r}{known}",
            f"define {name} in {COMMANDS_FILE}, then {TRUST_REMEDY}",
        )

    def _definitions(self, files: ProjectFiles) -> str:
        try:
            return files.read(COMMANDS_FILE).text()
        except LookFailedError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                return ""
            raise LookUnavailableError(error.reason, f"mend {COMMANDS_FILE}", final=True) from error

    def _changed(self, title: str) -> LookUnavailableError:
        return LookUnavailableError(
            f"{title} changed since a person trusted it (its definition, or a program or script of"
            " the project that it runs)",
            f"put it back as it was, or {TRUST_REMEDY}",
            final=True,
        )

    def _reports(self, report: ProbeSettings | None, look: Look) -> frozenset[Source]:
        found: set[Source] = set()
        for template in getattr(report, "path", ()):
            try:
                found |= {file.source for file in look.files.read_all(look.glob(template))}
            except LookFailedError:
                # What cannot be read now is judged when the run has ended.
                continue
        return frozenset(found)

    def _run(self, command: Command, before: frozenset[Source]) -> Run:
        # What was written up to now must look older than the run, however coarse the clock is.
        time.sleep(2 * clock_grain().total_seconds())
        started = datetime.now(UTC)
        result = self._supervised(command)
        return Run(
            started=started,
            before=before,
            exit_code=result["exit_code"],
            timed_out=result["timed_out"],
            cancelled=result["cancelled"],
            output=self._clean(result["output"]),
            problem=result["problem"],
        )

    def _supervised(self, command: Command) -> dict[str, Any]:
        job = {
            "argv": command.argv,
            "cwd": str(self._root),
            "env": command_environment(command, self._environment),
            "timeout": command.timeout,
        }
        answer = b""
        with (
            suppress(BrokenPipeError, ValueError),
            subprocess.Popen(  # noqa: S603 - our own file under our own interpreter
                [sys.executable, "-I", "-S", supervisor.__file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                # Where Windows looks for programs before it looks at PATH: not in the project.
                cwd=Path(supervisor.__file__).parent,
                # An interrupt typed at the server must not end the one who cleans up.
                start_new_session=True,
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            ) as process,
        ):
            self._running.add(process)
            try:
                answer = _ask(process, json.dumps(job).encode() + b"\n")
            finally:
                self._running.discard(process)
        result: dict[str, Any] = json.loads(answer) if answer else _KILLED
        return result

    def _require_ended(self, run: Run, command: Command) -> None:
        title, where = self._title(command), command.source
        if run.problem:
            raise LookUnavailableError(
                f"{title} could not be started: {run.problem}",
                f"install the program, or correct argv in {where}, then {TRUST_REMEDY}",
                final=True,
            )
        if run.timed_out:
            raise LookUnavailableError(
                f"{title} did not end within {command.timeout:g} seconds{self._tail(run)}",
                f"make it faster, or raise timeout in {where}, then {TRUST_REMEDY}",
                final=True,
            )
        if run.cancelled:
            raise LookUnavailableError(
                f"{title} was stopped before it ended", "submit the evidence again", final=True
            )

    def _read_report(self, report: ProbeSettings, look: Look, run: Run, title: str) -> Found:
        look = dataclasses.replace(look, written_since=run.started)
        try:
            found = self._readers[report.probe](report, look)
        except LookFailedError as error:
            raise LookFailedError(f"{title} ran; {error.reason}", *error.sources) from error
        for source in found.sources:
            if source in run.before or not self._was_touched(source, run):
                raise LookFailedError(
                    f"{title} did not write {source.path}: it was there before the run", source
                )
        return found

    def _was_touched(self, source: Source, run: Run) -> bool:
        # A file's times can be set to any moment, to one of the run too; but not its change time.
        if os.name == "nt":
            return True
        try:
            changed = (self._root / source.path).stat().st_ctime
        except OSError:
            return False
        return changed >= (run.started - clock_grain()).timestamp()

    def _value(self, run: Run, wanted: str | None) -> Any:
        match wanted:
            case "integer" | "number":
                return run.exit_code
            case "string":
                lines = run.output.strip().splitlines()
                return lines[-1].strip()[:MAX_VALUE] if lines else ""
            case _:
                return True

    def _title(self, command: Command) -> str:
        return " ".join(self._clean(f"command {command.title}").split())[:MAX_TITLE]

    def _tail(self, run: Run) -> str:
        output = run.output.strip()
        return f"; its output ends:\n{output[-MAX_TAIL:]}" if output else "; it printed nothing"

    def _clean(self, output: str) -> str:
        text = _CONTROL.sub("", _TERMINAL_CODE.sub("", output.replace("\r\n", "\n")))
        for path, shown in self._hidden.items():
            text = re.sub(re.escape(path) + r"(?![\w-])", shown, text)
        return text


def _ask(process: "subprocess.Popen[bytes]", job: bytes) -> bytes:
    assert process.stdin is not None  # noqa: S101 - pipes were asked for
    assert process.stdout is not None  # noqa: S101
    process.stdin.write(job)
    process.stdin.flush()
    return process.stdout.readline()


def command_environment(command: Command, environment: Mapping[str, str]) -> dict[str, str]:
    """Return what a command finds in its environment: the plainest, and what it names itself."""
    given = {
        name: value
        for name, value in environment.items()
        if (name.upper() in _PASSED or name.startswith("LC_")) and not _SECRET.search(name)
    }
    if "PATH" in given:
        # A relative folder in PATH would find programs in the project, whoever put them there.
        folders = given["PATH"].split(os.pathsep)
        given["PATH"] = os.pathsep.join(folder for folder in folders if Path(folder).is_absolute())
    for item in command.env:
        name, sets, value = item.partition("=")
        if sets:
            given[name] = value
        elif name in environment:
            given[name] = environment[name]
    return given


def _hidden_paths(root: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the absolute paths that no message may hold, and what stands for them."""
    homes = [environment.get("HOME", ""), environment.get("USERPROFILE", ""),
             os.path.expanduser("~")]  # fmt: skip  # noqa: PTH111 - it never raises
    shown = {str(root.absolute()): ".", str(root.resolve()): ".", root.resolve().as_posix(): "."}
    for home in homes:
        if Path(home).is_absolute():
            shown |= {home: "~", str(Path(home).resolve()): "~"}
    longest_first = sorted(shown, key=len, reverse=True)
    return {path: shown[path] for path in longest_first if len(path) > 1}
