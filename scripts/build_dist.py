"""Build the sdist and the wheel from what is committed, try them, and put them into dist/.

The wheel is built from the sdist, so the sdist can build it. The sdist holds every committed file
but what only the repository needs, so the tests can be run from it. Both pass `twine check`. The
wheel is installed alone into a fresh environment, whose command then answers and finds all well.
Nothing is downloaded: what the wheel needs is taken from the environment that runs this.
"""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_WHERE = "import sysconfig; print(sysconfig.get_path('purelib'))"
REPOSITORY_ONLY = (".ci/", ".github/")


class DistributionError(Exception):
    """What was built is not what it should be."""


def main() -> int:
    """Build, try and keep; return the exit code."""
    with tempfile.TemporaryDirectory(prefix="aos-workflow-dist-") as folder:
        source, built = Path(folder, "source"), Path(folder, "built")
        try:
            committed = export(source)
            _run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(built), at=source)
            (sdist,), (wheel,) = built.glob("*.tar.gz"), built.glob("*.whl")
            require_complete(sdist, committed)
            _run(sys.executable, "-m", "twine", "check", "--strict", str(sdist), str(wheel))
            try_command(wheel, Path(folder, "fresh"))
        except (DistributionError, subprocess.CalledProcessError) as error:
            sys.stderr.write(f"{error}\n{getattr(error, 'stdout', None) or ''}")
            return 1
        (ROOT / "dist").mkdir(exist_ok=True)
        for path in (sdist, wheel):
            shutil.copy(path, ROOT / "dist")
            sys.stdout.write(f"dist/{path.name}\n")
    return 0


def export(target: Path) -> list[str]:
    """Put what is committed into a folder, and return the names of its files."""
    archive = target.with_suffix(".tar")
    _run("git", "archive", "--output", str(archive), "HEAD")
    with tarfile.open(archive) as tar:
        tar.extractall(target, filter="data")
        return [member.name for member in tar.getmembers() if not member.isdir()]


def require_complete(sdist: Path, committed: list[str]) -> None:
    """Raise DistributionError unless the sdist holds every file that it should."""
    with tarfile.open(sdist) as tar:
        held = {name.partition("/")[2] for name in tar.getnames()}
    missing = [name for name in committed
               if name not in held and not name.startswith(REPOSITORY_ONLY)]  # fmt: skip
    if missing:
        raise DistributionError(f"the sdist lacks {', '.join(missing)}")


def try_command(wheel: Path, folder: Path) -> None:
    """Install a wheel into a fresh environment, and let its command examine itself.

    Raises DistributionError.
    """
    venv.create(folder / "venv")
    scripts = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
    python, command = scripts / "python", scripts / "aos-workflow"
    _run(sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps",
         "--no-index", "--disable-pip-version-check", str(wheel))  # fmt: skip
    site = Path(_run(str(python), "-c", _WHERE, at=folder).strip())
    # Behind its own packages, so that only what the wheel lacks comes from here.
    (site / "needed.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    project = folder / "project"
    (project / ".git").mkdir(parents=True)
    _run(str(command), "setup", "claude-code", at=project)
    report = json.loads(_run(str(command), "doctor", "--json", at=project, check=False))
    if not report["ok"]:
        raise DistributionError(f"the installed command is not well: {report['checks']}")
    where = _run(str(python), "-c", "import mcp_server; print(mcp_server.__file__)", at=project)
    if not Path(where.strip()).is_relative_to(site):
        raise DistributionError(f"the code that ran is not the wheel's: {where.strip()}")


def _run(*line: str, at: Path = ROOT, check: bool = True) -> str:
    """Run a program, away from the configuration of whoever runs this."""
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith(("AOS_WORKFLOW_", "CLAUDE_", "CODEX_", "XDG_"))}  # fmt: skip
    home = {} if at == ROOT else {"HOME": str(at.parent), "USERPROFILE": str(at.parent)}
    done = subprocess.run(  # noqa: S603 (every line stands above)
        line, cwd=at, env=kept | home, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, encoding="utf-8", check=check,
    )  # fmt: skip
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
