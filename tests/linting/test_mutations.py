"""No input makes the linter fall over, and what has no error for it loads."""

import json
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mcp_server.linting.linter import lint
from tests.linting.lint_builders import clean, clean_dynamic, loads

FILES = (
    "metadata.json",
    "phases/1/phase.md",
    "phases/1/task-1-do.md",
    "phases/1/gate-definition.yaml",
)

PIECES = [
    b"", b"\x00", b"\xff", b"{", b"}", b"[", b"]", b":", b",", b'"', b"'", b"\n", b"- ", b"null",
    b"1e999", b"NaN", b"-1", b"true", b"&a", b"*a", b"!!python", b"| ", b"../", b"{x}", b"`", b"](",
    b"# ", b"\\ud800", b"\xef\xbb\xbf", b"verify", b"validator", b"lambda", b"phase_number", b"\t",
]  # fmt: skip

edits = st.lists(
    st.tuples(
        st.sampled_from(FILES),
        st.integers(0, 700),
        st.integers(0, 40),
        st.sampled_from(PIECES) | st.binary(max_size=8),
    ),
    min_size=1,
    max_size=4,
)

quick = settings(max_examples=150, deadline=None,
                 suppress_health_check=[HealthCheck.too_slow])  # fmt: skip


@quick
@given(edits=edits, dynamic=st.booleans())
def test_bytes_changed_anywhere(edits, dynamic):
    with TemporaryDirectory() as shelf:
        folder = (clean_dynamic if dynamic else clean)(Path(shelf))
        for name, at, length, piece in edits:
            path = folder / name
            content = path.read_bytes()
            path.write_bytes(content[:at] + piece + content[at + length :])

        assert_agreement(folder)


scalars = st.none() | st.booleans() | st.integers(-3, 300) | st.floats() | st.text(max_size=6)
keys = st.sampled_from(
    ["workflow_type", "version", "total_phases", "start_phase", "phases", "phase_number", "tasks",
     "file", "dynamic_phases", "dynamic_config", "templates", "phase", "checkpoint", "tags",
     "required_evidence", "core_utilities", "type", "items", "verify", "file", "count", "git",
     "validator", "validator_params", "evidence_schema", "validators", "rule", "assurance",
     "cross_field_validation", "strict", "properties", "allOf", "minimum"]
) | st.text(max_size=5)  # fmt: skip
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)


@quick
@given(data=st.dictionaries(keys, anything, max_size=5) | anything, keep=st.booleans())
def test_metadata_of_any_shape(data, keep):
    with TemporaryDirectory() as shelf:
        folder = clean(Path(shelf))
        if keep and isinstance(data, dict):
            data = {"workflow_type": "small_v1", **data}
        (folder / "metadata.json").write_text(json.dumps(data), encoding="utf-8")

        assert_agreement(folder)


@quick
@given(
    gate=anything,
    fields=st.dictionaries(keys, st.dictionaries(keys, anything, max_size=3) | anything),
)
def test_gates_of_any_shape(gate, fields):
    with TemporaryDirectory() as shelf:
        folder = clean(Path(shelf))
        sections = gate if isinstance(gate, dict) else {}
        for number, made in ((1, gate), (2, {"evidence_schema": fields, **sections})):
            path = folder / f"phases/{number}/gate-definition.yaml"
            path.write_text(json.dumps(made), encoding="utf-8")

        assert_agreement(folder)


names = st.text(
    st.characters(exclude_characters="/\x00", exclude_categories=["Cs"]), min_size=1, max_size=12
).filter(lambda name: name not in {".", ".."}) | st.sampled_from(
    ["0", "01", "٣", "dynamic", "task-1.md", "task-x.md", "TASK-2.MD", "gate.yaml", "task-٣-x.md",
     "phase.md", "metadata.json", "999999999999"]
)  # fmt: skip


@quick
@given(made=st.lists(st.tuples(st.sampled_from(["phases", "phases/1"]), names, st.booleans())))
def test_files_and_folders_of_any_name(made):
    with TemporaryDirectory() as shelf:
        folder = clean(Path(shelf))
        for parent, name, is_folder in made:
            path = folder / parent / name
            if path.exists() or len(path.name.encode()) > 200:
                continue
            if is_folder:
                shutil.copytree(folder / "phases/2", path)
            else:
                path.write_text("# Task\n", encoding="utf-8")

        assert_agreement(folder)


def assert_agreement(folder: Path) -> None:
    problems = lint(folder)
    has_errors = any(problem.is_error for problem in problems)
    codes = {problem.code for problem in problems}

    assert has_errors or loads(folder)
    # The checks find by themselves what loading would.
    assert "definition/refused" not in codes, problems
