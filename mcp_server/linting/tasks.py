"""The task files of a phase: read at all, numbered in order, short, and as metadata lists them."""

import re
from itertools import pairwise
from pathlib import Path

from mcp_server.linting.ground import Ground
from mcp_server.linting.metadata import Described
from mcp_server.linting.problems import listed
from mcp_server.linting.texts import Page

MAX_LINES = 100

_TASK_FILE = re.compile(r"task-(?P<number>\d+)(-.*)?\.md\Z")
_TASK_LIKE = re.compile(r"task[-_ .]?\d.*\.(md|markdown)\Z", re.IGNORECASE)
_PERHAPS_A_TASK = re.compile(r"tasks?([-_ .]|\d|\Z)", re.IGNORECASE)
_NUMBERED_TITLE = re.compile(r"task\s+(\d{1,6}\.)?(?P<number>\d{1,6})\b", re.IGNORECASE)

Tasks = dict[int, Path]


def find_tasks(ground: Ground, folder: Path) -> Tasks:
    """Check the names of task files and return the tasks by number, in order."""
    tasks: Tasks = {}
    for path in ground.entries(folder):
        found = _TASK_FILE.match(path.name)
        if not found:
            _check_name(ground, path)
            continue
        number = int(found["number"])
        if number in tasks:
            ground.error(path, "task/twice", f"task {number} is also in {tasks[number].name}",
                         "Renumber one of them.")  # fmt: skip
        else:
            tasks[number] = path
    return dict(sorted(tasks.items()))


def check_tasks(ground: Ground, described: Described | None, number: int, tasks: Tasks) -> None:
    """Check the order of the tasks of one phase, each text, and that metadata agrees."""
    _check_order(ground, list(tasks.items()))
    for task, path in tasks.items():
        text = ground.read(path)
        if text is not None:
            _check_text(ground, task, path, text)
    if described:
        _check_listed(ground, described, number, tasks)


def _check_name(ground: Ground, path: Path) -> None:
    if _TASK_LIKE.match(path.name):
        ground.error(path, "task/name", "not read as a task: its name is not of the form",
                     "Name it task-<number>-<slug>.md.")  # fmt: skip
    elif _PERHAPS_A_TASK.match(path.name):
        ground.warn(path, "task/not-read", "looks like a task, and nothing reads it",
                    "Name it task-<number>-<slug>.md, or otherwise altogether.")  # fmt: skip


def _check_order(ground: Ground, tasks: list[tuple[int, Path]]) -> None:
    if tasks and tasks[0][0] > 1:
        number, path = tasks[0]
        ground.warn(path, "task/gap", f"the first task is number {number}",
                    "Number the tasks from 0 or 1.")  # fmt: skip
    for (number, _), (following, path) in pairwise(tasks):
        if following != number + 1:
            ground.warn(path, "task/gap", f"task {following} comes right after task {number}",
                        "Number the tasks without gaps.")  # fmt: skip


def _check_text(ground: Ground, number: int, path: Path, text: str) -> None:
    lines = len(text.splitlines())
    if not text.strip():
        ground.warn(path, "task/empty", "is empty", "Say what to do, or remove it.")
        return
    if lines > MAX_LINES:
        ground.warn(path, "task/too-long", f"{lines} lines, over {MAX_LINES}",
                    "Split the task, or move what is only looked up elsewhere.",
                    MAX_LINES + 1)  # fmt: skip
    title = Page(text).title
    if title is None:
        ground.warn(path, "task/no-title", "there is no heading",
                    f"Begin with a heading, such as: # Task {number}: Name.", 1)  # fmt: skip
        return
    found = _NUMBERED_TITLE.match(title[0])
    if found and int(found["number"]) != number:
        ground.warn(path, "task/title-number",
                    f"the heading says task {found['number']} in the file of task {number}",
                    "Correct the number.", title[1])  # fmt: skip


def _check_listed(ground: Ground, described: Described, number: int, tasks: Tasks) -> None:
    found = described.entry_of(number)
    listing = found[1].get("tasks") if found else None
    if not found or not isinstance(listing, list):
        return
    at = ("phases", found[0], "tasks")
    files, named = {path.name: task for task, path in tasks.items()}, set[int]()
    for index, entry in enumerate(listing):
        if not isinstance(entry, dict):
            continue
        line = described.source.line_of((*at, index))
        file, task = entry.get("file"), entry.get("task_number")
        if isinstance(file, str) and file.rpartition("/")[2] not in files:
            ground.warn(described.path, "metadata/no-such-task",
                        f"phase {number} lists the task file {file!r}, which is not there",
                        "Correct the name, or remove the entry.", line)  # fmt: skip
        elif isinstance(task, int) and task not in tasks:
            ground.warn(described.path, "metadata/no-such-task",
                        f"phase {number} lists task {task}, which has no file",
                        "Write the file, or remove the entry.", line)  # fmt: skip
        named |= {task} if isinstance(task, int) else set()
        named |= {files[file]} if isinstance(file, str) and file in files else set()
    missing = [path.name for task, path in tasks.items() if task not in named]
    if missing and listing:
        ground.warn(described.path, "metadata/task-not-listed",
                    f"phase {number} does not list {listed(missing)}",
                    "Add it to tasks, or remove tasks: the files decide.",
                    described.source.line_of(at))  # fmt: skip
