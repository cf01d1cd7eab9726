"""A session as a page: what it says in each status, and that no text becomes more than a text."""

from datetime import timedelta

import pytest

from mcp_server.core import lifecycle
from mcp_server.core.models import ErrorEntry, ObservationRecord, SourceRecord
from mcp_server.gates.observation import Known
from mcp_server.pages.session_page import session_page
from tests.builders import NOON, definition
from tests.core.lifecycle_builders import LATER, LATEST, WAVED, approval, completed, failed
from tests.core.session_builders import ID, birth, state
from tests.pages.page_builders import HOSTILE, as_seen, inlines, parsed, rows, shown

SEEN = ObservationRecord(
    probe="junit reports/junit.xml",
    time=LATER,
    sources=(SourceRecord(path="reports/junit.xml", size=9, sha256="a" * 64, modified=LATER),),
    more_sources=2,
)


def page(of, phases=2, **standing):
    return session_page(of, definition(phases), standing)


def passed(evidence, known=None, observed=None):
    submission = lifecycle.prepare(evidence, known, observed)
    return lifecycle.pass_phase(state(), submission, LATER).state


def refused(message="the gate said no", **details):
    entry = ErrorEntry(
        phase=1,
        timestamp=LATER,
        error_type="ValidationError",
        message=message,
        details=details,
        remediation="Do better.",
    )
    return lifecycle.refuse_phase(state(), lifecycle.prepare({"tests": 0}), entry, LATER).state


def test_a_page_reads_like_this():
    before = passed(
        {"tests": 3, "log": "x" * 2_000},
        {"tests": Known.EXECUTED},
        {"tests": SEEN},
    )
    assert (
        page(before)
        == f"""\
# Small: src/a.py

**At work**: phase 2, 1 of 2 done, attempt 1.

- **Session:** `{ID}`
- **Workflow:** `small_v1`, version 1.0.0 (dddddddddddd)
- **Target:** `src/a.py`
- **Started:** 2026-03-14 12:00:00 UTC
- **Last change:** 2026-03-14 12:01:30 UTC

## Next step

```text
aos_workflow(action="get_task", session_id="{ID}", phase=2, task_number=1)
```

## Phases

- [x] Phase 1 (1 min 30 s)
- [ ] **Phase 2** (now)

## Evidence

| phase | field | value | how it is known | where the server looked |
| --- | --- | --- | --- | --- |
| 1 | `tests` | `3` | **executed** | junit reports/junit.xml, 2026-03-14 12:01:30 UTC: \
`reports/junit.xml` aaaaaaaaaaaa, 2 more |
| 1 | `log` | (2002 bytes, 36e2a4f28443) | **claimed** | nowhere: the agent says so |
""".replace("36e2a4f28443", before.evidence[1]["log"].sha256[:12])
    )


def test_a_refused_session_says_what_is_to_be_done():
    told = page(refused(missing_evidence=["report"], validation_errors=["tests: 0 is too few"]))
    assert "**Refused by the gate**: phase 1, 0 of 2 done." in told
    assert f'```text\naos_workflow(action="retry_phase", session_id="{ID}", phase=1)\n```' in told
    assert "- [ ] **Phase 1** (the gate refused; 1 min 30 s; 1 field kept from earlier" in told
    assert (
        "## Refusals\n\n"
        "- 2026-03-14 12:01:30 UTC, phase 1, ValidationError: the gate said no\n"
        "  - missing: report\n"
        "  - tests: 0 is too few\n"
        "  - To do: Do better.\n"
    ) in told


def test_a_paused_session_says_since_when_and_shows_the_note():
    told = page(lifecycle.pause(state(), "at *the* parser", LATER).state)
    assert "**Paused** since 2026-03-14 12:01:30 UTC: phase 1, 0 of 2 done." in told
    assert "- **Note:** at \\*the\\* parser" in told
    assert f'aos_workflow(action="resume", session_id="{ID}")' in told


def test_a_completed_session_has_no_next_step():
    told = page(completed())
    assert "**Completed.**" in told
    assert "## Next step\n\nNothing is left to do.\n" in told
    assert told.count("- [x]") == 2


def test_a_running_verification_is_told():
    assert "A verification is running." in page(state(), verification="running")
    assert "A verification is running." not in page(state())


def test_what_people_said_is_told_with_name_and_way():
    waved = lifecycle.override_phase(failed(), WAVED).state
    said = waved.model_copy(update={"approvals": (approval(),)})
    told = page(said)
    assert (
        "## What people said\n\n- 2026-03-14 12:01:30 UTC, phase 1: alex approved `agreed`" in told
    )
    assert "phase 1: alex waved it through by a terminal: an experiment" in told
    assert "- [x] Phase 1 (waved through by a person; 1 min 30 s)" in told


def test_attempts_are_counted():
    retried = lifecycle.retry_phase(refused(), reset_evidence=False, now=LATEST).state
    assert "- [ ] **Phase 1** (now; attempt 2; 1 field kept from earlier attempts)" in page(retried)


def test_a_page_stays_bounded_whatever_was_submitted():
    phases = tuple(range(1, 301))
    evidence = {f"field_{number}" * 5: "x" * 190 for number in range(2_000)}
    submission = lifecycle.prepare(evidence)
    before = lifecycle.pass_phase(birth(phases=phases).state, submission, LATER).state
    entry = ErrorEntry(
        phase=1,
        timestamp=LATER,
        error_type="ValidationError",
        message="no " * 5_000,
        details={"validation_errors": ["why " * 500] * 500},
        remediation="do " * 5_000,
    )
    before = before.model_copy(
        update={"errors": (entry,) * 16, "error_count": 40, "checkpoint_note": "n" * 4_096}
    )
    told = page(before, phases=300)
    assert len(told) < 45_000
    assert told.count("… and ") >= 2
    assert told.endswith("24 earlier ones in the history.\n")


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_no_text_of_an_agent_becomes_more_than_a_text(name):
    submission = lifecycle.prepare(
        {name: name, "seen": 1},
        {"seen": Known.OBSERVED},
        {"seen": SEEN.model_copy(update={"probe": name})},
    )
    before = lifecycle.pass_phase(birth(target_file=name).state, submission, LATER).state
    said = refused(message=name, validation_errors=[name], missing_evidence=[name])
    before = before.model_copy(
        update={
            "checkpoint_note": name,
            "errors": said.errors,
            "overrides": (WAVED.model_copy(update={"by": name, "reason": name}),),
            "approvals": (approval(field=name, by=name),),
        }
    )
    tokens = parsed(page(before))
    kinds = {token.type for token in tokens}
    assert not kinds & {"html_block", "blockquote_open", "ordered_list_open", "hr"}
    headings = [
        shown(tokens[place + 1])
        for place, token in enumerate(tokens)
        if token.type == "heading_open" and token.tag == "h2"
    ]
    assert headings == ["Next step", "Phases", "Evidence", "What people said", "Refusals"]
    assert {len(row) for row in rows(tokens)} == {5}
    children = [child for token in inlines(tokens) for child in token.children or ()]
    assert {child.type for child in children} <= {
        "text", "text_special", "code_inline", "softbreak", "strong_open", "strong_close"
    }  # fmt: skip
    assert as_seen(name)[:60] in shown(tokens[1])


def test_times_are_told_from_the_start_of_an_attempt():
    later = NOON + timedelta(days=2, hours=3)
    done = lifecycle.pass_phase(state(), lifecycle.prepare({"tests": 1}), later).state
    assert "- [x] Phase 1 (2 d 3 h)" in page(done)
