"""Write requirements.txt and requirements-dev.txt from pyproject.toml, their single source."""

import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADER = "# Written by `make requirements` from pyproject.toml; edit that file instead.\n"


def requirements(pyproject: dict[str, dict[str, object]]) -> dict[str, str]:
    """Return the content of each requirements file."""
    project = pyproject["project"]
    runtime: list[str] = project["dependencies"]  # type: ignore[assignment]
    extras: dict[str, list[str]] = project["optional-dependencies"]  # type: ignore[assignment]
    return {
        "requirements.txt": HEADER + "".join(f"{line}\n" for line in runtime),
        "requirements-dev.txt": HEADER
        + "-r requirements.txt\n"
        + "".join(f"{line}\n" for line in extras["dev"]),
    }


def main() -> int:
    """Write the files; with --check, only say whether they are as they should be."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    stale = [
        name
        for name, content in requirements(pyproject).items()
        if not (ROOT / name).exists() or (ROOT / name).read_text(encoding="utf-8") != content
    ]
    if "--check" in sys.argv[1:]:
        return 1 if stale else 0
    for name in stale:
        (ROOT / name).write_text(requirements(pyproject)[name], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
