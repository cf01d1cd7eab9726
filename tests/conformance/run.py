"""Run the official conformance suite against this server over HTTP.

Everything that the suite has is run, and once more exactly what the newest revision requires. What
fails must be in expected-failures.yml, and what is there must fail. Needs Node 22 or newer, and
downloads the suite: `make conformance` runs it, and no test.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

SUITE = "@modelcontextprotocol/conformance@0.2.0-alpha.12"
EXPECTED = Path(__file__).with_name("expected-failures.yml")
OLDER_ONLY = "older revisions only"
"""What the reason says of a scenario that holds where the newest revision is spoken."""
SERVE = "from mcp_server.cli import main; main()"
NEEDED_NODE = 22
USAGE_ERROR = 2


def main() -> int:
    """Run the suite in all ways and return the exit code: 0 only if all is as expected."""
    npx = shutil.which("npx")
    if npx is None or _node_version() < NEEDED_NODE:
        sys.stderr.write(
            f"the conformance suite needs Node {NEEDED_NODE} or newer on the PATH, with npx\n"
        )
        return USAGE_ERROR
    with TemporaryDirectory() as project:
        command = [sys.executable, "-c", SERVE, "serve", "--http", "127.0.0.1:0"]
        server = subprocess.Popen(
            [*command, "--project", project], stderr=subprocess.PIPE, encoding="utf-8"
        )
        try:
            url = _url(server)
            listed = EXPECTED.read_text(encoding="utf-8").splitlines(keepends=True)
            newest = Path(project) / EXPECTED.name
            newest.write_text(
                "".join(line for line in listed if OLDER_ONLY not in line), encoding="utf-8"
            )
            return max(
                _run(npx, url, EXPECTED, "--suite", "all"),
                _run(npx, url, newest, "--requirements", "2026-07-28"),
            )
        finally:
            server.terminate()
            server.communicate()


def _url(server: subprocess.Popen[str]) -> str:
    told = server.stderr.readline() if server.stderr is not None else ""
    found = re.search(r"http://\S+", told)
    if found is None:
        raise SystemExit(f"the server did not start: {told.strip()}")
    return found[0]


def _run(npx: str, url: str, expected: Path, *which: str) -> int:
    arguments = ["server", "--url", url, *which, "--expected-failures", str(expected)]
    done = subprocess.run(
        [npx, "--yes", SUITE, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        env=os.environ | {"NO_COLOR": "1"},
        check=False,
    )
    # What comes before the summary is a line for each scenario that was begun.
    _, mark, summary = done.stdout.partition("=== SUMMARY ===")
    sys.stdout.write(f"{' '.join(which)}:{summary if mark else done.stdout}\n")
    return done.returncode


def _node_version() -> int:
    node = shutil.which("node")
    if node is None:
        return 0
    told = subprocess.run([node, "--version"], capture_output=True, encoding="utf-8", check=False)
    found = re.match(r"v(\d+)", told.stdout)
    return int(found[1]) if found else 0


if __name__ == "__main__":
    sys.exit(main())
