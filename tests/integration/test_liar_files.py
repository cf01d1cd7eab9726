"""Lies in files: old, empty, foreign, broken and led elsewhere, no gate takes them for the work."""

import os
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mcp_server.example import claims
from mcp_server.gates.probes.files import MAX_FILE
from tests.builders import BUILT_IN_NAMES
from tests.integration.liar import (
    DAY,
    Enter,
    Evidence,
    Lie,
    Scene,
    assert_caught,
    begun,
    binds_reports,
    entrance,
    example_of,
    liar_at,
    paths_read,
    set_back,
    settle,
    told,
    writes,
)

OLD = "2020-02-29T12:00:00+00:00"
OLD_EPOCH = "1582977600"

Change = Callable[[Path], None]


@pytest.fixture(name="enter")
def make_enter(tmp_path, tmp_path_factory, monkeypatch) -> Enter:
    """Bring the caller to the door of a phase, in a project of their own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return entrance(tmp_path_factory.getbasetemp(), tmp_path)


def changed(change: Change, *endings: str, lies: bool = False) -> Lie:
    """Do the work, then change each file of it that the gate reads, with one of these endings.

    With `lies` all examples are claimed besides, as if the files were still as they were.
    """

    def tell(scene: Scene) -> Evidence:
        honest = scene.work()
        for path in scene.files(*endings):
            change(path)
        return scene.examples() if lies else honest

    return Lie(tell, writes(*(endings or ("",))))


def rewritten(change: Callable[[str], str], *endings: str, lies: bool = False) -> Lie:
    """Do the work, then change the text of the files."""

    def apply(path: Path) -> None:
        path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")

    return changed(apply, *endings, lies=lies)


def in_place(make: Callable[[Path], None]) -> Change:
    """Put something else in a file's place."""

    def change(path: Path) -> None:
        path.unlink()
        make(path)

    return change


def linked_inside(path: Path) -> None:
    """Keep the file under another name, and a link to it where it is looked for."""
    kept = path.with_name(f"kept-{path.name}")
    path.rename(kept)
    path.symlink_to(kept.name)


def linked_outside(path: Path) -> None:
    """Keep the file outside of the project."""
    project = next(folder for folder in path.parents if (folder / ".praxis-os").is_dir())
    kept = project.parent / f"kept-{len(list(project.parent.iterdir()))}"
    path.rename(kept)
    path.symlink_to(kept)


def only_touched(scene: Scene) -> Evidence:
    """Make all that there is look new."""
    for path in scene.project.rglob("*"):
        if path.is_file() and ".git" not in path.parts and ".praxis-os" not in path.parts:
            os.utime(path)
    return scene.examples()


def just_too_early(scene: Scene) -> Evidence:
    """Have done the work in the second before the phase began."""
    honest = scene.work()
    for path in scene.files():
        os.utime(path, (scene.begun - 0.5, scene.begun - 0.5))
    return honest


def copied_with_its_times(scene: Scene) -> Evidence:
    """Bring work from where it was kept, as `cp -p` does."""
    folder = scene.example.folder / f"phase-{scene.phase}"
    drawer = scene.project.with_name(f"{scene.project.name}-drawer")
    shutil.copytree(folder, drawer)
    set_back(*(path for path in drawer.rglob("*") if path.is_file()))
    shutil.copytree(drawer, scene.project, dirs_exist_ok=True, copy_function=shutil.copy2)
    return claims(scene.gate)


def folder_led_outside(scene: Scene) -> Evidence:
    """Keep the whole folder of the reports outside of the project."""
    honest = scene.work()
    for folder in {scene.project / path.relative_to(scene.project).parts[0]
                   for path in scene.files()}:  # fmt: skip
        kept = scene.project.with_name(f"{scene.project.name}-kept-{folder.name}")
        folder.rename(kept)
        folder.symlink_to(kept)
    return honest


def emptied_lines(text: str) -> str:
    """Leave of each counted line what is counted, and nothing behind it; keep the size."""
    kept = [re.sub(r"^(\s*(?:[-#*|]+ *)?[^:|\n]{1,40}[:|]).*", r"\1", line)
            for line in text.splitlines()]  # fmt: skip
    return "\n".join(kept) + "\n" + " \n" * len(text)


def without_failures_in_sums(text: str) -> str:
    """Let every test fail, and the sums say that none did."""
    failing = re.sub(r"<testcase ([^>]*?) ?/>", r'<testcase \1><failure message="no"/></testcase>',
                     text)  # fmt: skip
    return re.sub(r'(failures|errors)="\d+"', r'\1="0"', failing)


def stamped(text: str) -> str:
    """Let a report tell, truly, of an old run."""
    text = re.sub(r"<testsuite ", f'<testsuite timestamp="{OLD}" ', text)
    text = re.sub(r' timestamp="[^"]*"(?=[^>]*>)', "", text) if "<coverage" in text else text
    return re.sub(r"<coverage ", f'<coverage timestamp="{OLD_EPOCH}" ', text)


def no_test(_text: str) -> str:
    return '<testsuites><testsuite name="pytest" tests="9" failures="0" errors="0"/></testsuites>'


def bomb(_text: str) -> str:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    return (
        f'<!DOCTYPE testsuite [<!ENTITY e0 "ha">{entities}]>'
        '<testsuite name="&e9;"><testcase classname="a" name="&e9;"/></testsuite>'
    )


def external(_text: str) -> str:
    return (
        '<!DOCTYPE testsuite [<!ENTITY file SYSTEM "file:///etc/passwd">]>'
        '<testsuite name="a"><testcase classname="a" name="b">&file;</testcase></testsuite>'
    )


def deep(_text: str) -> str:
    return "<testsuite>" * 100_000 + '<testcase name="a"/>' + "</testsuite>" * 100_000


def of_others(text: str) -> str:
    """Turn a report into one of other tests, and of another file's coverage."""
    text = re.sub(r'(classname|name|file)="(?:tests[./]|src/)[^"]*"', r'\1="tests.other"', text)
    return re.sub(r'filename="[^"]*"', 'filename="other.py"', text)


XML = ("junit.xml", "coverage.xml")
JUNIT = ("junit.xml", "smoke-junit.xml")

FILES = {
    "files of a day ago": changed(set_back),
    "files of a moment before the phase": Lie(just_too_early),
    "files from the beginning of time": changed(lambda path: os.utime(path, (0, 0))),
    "files of tomorrow": changed(lambda path: os.utime(path, (time.time() + DAY,) * 2)),
    "files brought with their times": Lie(copied_with_its_times),
    "earlier files, touched": Lie(only_touched),
    "empty files": changed(lambda path: path.write_bytes(b"")),
    "files of blanks": changed(lambda path: path.write_text("\n \n" * 4_000, encoding="utf-8")),
    "counted lines with nothing in them": rewritten(emptied_lines, ".md"),
    "lines in another order of letters": rewritten(lambda text: text[::-1], ".md"),
    "headings and no text": rewritten(
        lambda text: "\n".join(line for line in text.split("\n") if line[:1] == "#") + " " * 5_000,
        ".md",
    ),
    "files deleted": changed(Path.unlink),
    "folders in place of files": changed(in_place(Path.mkdir)),
    "links to files inside": changed(linked_inside),
    "links to files outside": changed(linked_outside),
    "a folder that lies outside": Lie(folder_led_outside),
    "links to a device": changed(in_place(lambda path: path.symlink_to("/dev/zero"))),
    "links to themselves": changed(in_place(lambda path: path.symlink_to(path.name))),
    "pipes": changed(in_place(os.mkfifo)),
    "links to a pipe": changed(
        in_place(lambda path: (os.mkfifo(f"{path}.p"), path.symlink_to(f"{path}.p"))[1])
    ),
    "binary rubbish": changed(lambda path: path.write_bytes(bytes(range(256)) * 40)),
    "files of 17 MiB": changed(lambda path: os.truncate(path, MAX_FILE + 1024 * 1024)),
    "reports without a test": rewritten(no_test, *JUNIT),
    "reports with failures hidden in the sums": rewritten(
        without_failures_in_sums, *JUNIT, lies=True
    ),
    "reports of other tests and files": Lie(
        rewritten(of_others, ".xml", lies=True).tell, binds_reports
    ),
    "reports of an old run, written anew": rewritten(stamped, *XML),
    "reports that are a bomb": rewritten(bomb, *XML),
    "reports that read other files": rewritten(external, *XML),
    "reports that nest deep": rewritten(deep, *XML),
    "reports cut in the middle": rewritten(lambda text: text[: len(text) // 2], *XML),
    "reports in a comment": rewritten(lambda text: f"<testsuites><!-- {text[60:]} --></testsuites>",
                                      *XML),
    "JSON in place of reports": rewritten(lambda _text: '{"passed": 99, "failed": 0}', *XML),
    "deep JSON in place of reports": rewritten(lambda _text: "[" * 200_000, *XML),
}  # fmt: skip


@pytest.mark.skipif(os.name == "nt", reason="pipes, devices and links")
@pytest.mark.parametrize(("lie", "workflow", "phase"), told(FILES))
async def test_files_that_are_not_the_work_do_not_pass(
    enter: Enter, lie: Lie, workflow: str, phase: int
):
    scene = await enter(workflow, phase)
    evidence = lie.tell(scene)
    async with liar_at(scene.project) as agent:
        await assert_caught(agent, scene, await agent.lie(scene, evidence), lie.errors)


@pytest.mark.parametrize("workflow", BUILT_IN_NAMES)
async def test_no_file_of_the_work_can_be_left_out(enter: Enter, workflow: str):
    scene = await enter(workflow, 5)
    async with liar_at(scene.project) as agent:
        for path in paths_read(workflow, scene.phase):
            honest = scene.work()
            (scene.project / path).unlink()
            await assert_caught(agent, scene, await agent.lie(scene, honest), lie=path)
            await agent.succeed("retry_phase", session_id=scene.session_id, phase=scene.phase)


PATHS = [
    "../outside_test.py", "tests/../../outside_test.py", "/etc/passwd", "/etc/passwd_test.py",
    "~/a_test.py", "file:///etc/a_test.py", "a_test\0.py", "C:\\a_test.py", ".", "", "tests",
    "reports/junit.xml", "docs/changes/proration.md", "{target_file}", "tests/*_test.py",
    "no/such_test.py", ".praxis-os/state/.gitignore", ".git/config", "a_test.py\n",
]  # fmt: skip


def names_of_paths(scene: Scene) -> list[str]:
    """Return the fields whose example is a path."""
    return [
        name
        for name, value in scene.examples().items()
        if isinstance(value, str) and re.fullmatch(r"[\w.-]+(/[\w.-]+)*\.\w+", value)
    ]


PATH_GATES = {
    "code_review_v1": (1,),
    "production_code_v2": (4, 5, 7),
    "spec_creation_v1": (2,),
    "test_generation_v3": (3, 4, 5, 6, 7),
}


@pytest.mark.parametrize(
    ("workflow", "phase"),
    [
        pytest.param(workflow, phase, marks=() if phase == phases[0] else pytest.mark.slow)
        for workflow, phases in PATH_GATES.items()
        for phase in phases
    ],
)
async def test_a_path_that_is_not_the_file_s_does_not_pass(enter: Enter, workflow: str, phase: int):
    scene = await enter(workflow, phase)
    (scene.project.parent / "outside_test.py").write_text("def test_a(): assert 1\n")
    names = names_of_paths(scene)
    assert names
    async with liar_at(scene.project) as agent:
        for path in PATHS:
            honest = scene.work()
            answer = await agent.lie(scene, honest | dict.fromkeys(names, path))
            await assert_caught(agent, scene, answer, lie=repr(path))
            await agent.succeed("retry_phase", session_id=scene.session_id, phase=phase)


@pytest.mark.parametrize("workflow", BUILT_IN_NAMES)
async def test_work_that_was_there_before_the_session_does_not_pass(tmp_path, workflow: str):
    project = tmp_path / "project"
    project.mkdir()
    example = example_of(workflow)
    example.begin(project)
    example.work(1, project)
    settle()
    scene = await begun(workflow, project)
    async with liar_at(project) as agent:
        await assert_caught(agent, scene, await agent.lie(scene, claims(scene.gate)))


@pytest.mark.parametrize("workflow", BUILT_IN_NAMES)
async def test_the_reports_of_a_deleted_session_do_not_pass_in_the_next(
    enter: Enter, workflow: str
):
    scene = await enter(workflow, 1)
    honest = scene.work()
    async with liar_at(scene.project) as agent:
        await agent.succeed("delete_session", session_id=scene.session_id, reason="again")
    settle()
    again = await begun(workflow, scene.project)
    async with liar_at(scene.project) as agent:
        await assert_caught(agent, again, await agent.lie(again, honest))
        answer = await agent.lie(scene, honest)
        assert answer["error_type"] == "NotFoundError"
