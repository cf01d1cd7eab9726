"""What whoever runs the server sees of the calls: counted once, bounded, and never in the way."""

import ast
import logging
import subprocess
import sys
from contextlib import nullcontext
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from mcp_server.core.identifiers import validate_session_id
from mcp_server.server import telemetry
from mcp_server.server.tools.workflow_tools import VALID_ACTIONS, aos_workflow
from tests.builders import write_workflow
from tests.calls import ABSENT, complete, refused, started
from tests.server.telemetry_builders import CALLS, FINISHED, STARTED, VERDICTS, counting

WORKFLOW = "small_v1"


@pytest.fixture
def small(project):
    write_workflow(project / ".praxis-os" / "workflows")
    return project


async def test_a_walk_is_counted_by_action_workflow_and_verdict(small):
    with counting() as counted:
        session_id = await started()
        await refused(session_id)
        await aos_workflow("retry_phase", session_id, phase=1)
        await complete(session_id, 1)
        await complete(session_id, 2)
        await aos_workflow("get_state", session_id)

        assert counted.of(CALLS) == {
            ("start",): 1,
            ("complete_phase", "ValidationError"): 1,
            ("retry_phase",): 1,
            ("complete_phase",): 2,
            ("get_state",): 1,
        }
        assert counted.of(STARTED) == {(WORKFLOW,): 1}
        assert counted.of(FINISHED) == {(WORKFLOW,): 1}
        assert counted.of(VERDICTS) == {("fail", WORKFLOW): 1, ("pass", WORKFLOW): 2}


async def test_names_units_and_attributes_are_those_of_the_page(small):
    with counting() as counted:
        session_id = await started()
        await refused(session_id)
        await aos_workflow("retry_phase", session_id, phase=1)
        await complete(session_id, 1)
        await complete(session_id, 2)
        seen = {
            (name, metric.unit, frozenset().union(*(p.attributes for p in metric.data.data_points)))
            for name, metric in counted.metrics().items()
        }
    page = Path(__file__).parents[2] / "docs" / "figures.md"
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in page.read_text(encoding="utf-8").splitlines()
        if line.startswith("| `aos_workflow.")
    ]
    told = {(name.strip("`"), unit.strip("`"), frozenset(attributes.replace("`", "").split(", ")))
            for name, _kind, unit, attributes, _what in rows}  # fmt: skip
    assert seen == told


async def test_time_is_in_seconds_and_so_are_the_limits_of_the_buckets(small):
    with counting() as counted:
        session_id = await started()
        await complete(session_id, 1)
        await complete(session_id, 2)
        (call, _) = counted.points(CALLS)
        (session,) = counted.points(FINISHED)
    assert 0 < call.sum < 60
    assert call.explicit_bounds[:2] == (0.001, 0.002)
    assert call.explicit_bounds[-1] == 300
    assert session.explicit_bounds[0] == 60
    assert session.explicit_bounds[-1] == 30 * 24 * 60 * 60


async def test_a_session_lasts_from_its_start_to_its_last_gate(services, small):
    real = services.sessions.clock
    with counting() as counted:
        session_id = await started()
        begun = services.sessions.load(session_id).created_at
        try:
            for phase, hours in ((1, 3), (2, 5)):
                now = begun + timedelta(hours=hours)
                services.sessions.clock = partial(lambda now: now, now)
                await complete(session_id, phase)
        finally:
            services.sessions.clock = real
        (point,) = counted.points(FINISHED)
    assert point.sum == timedelta(hours=5).total_seconds()


async def test_a_session_that_is_finished_again_after_a_rollback_is_counted_again(small):
    with counting() as counted:
        session_id = await started()
        for _ in range(2):
            await complete(session_id, 1)
            await complete(session_id, 2)
            await aos_workflow("rollback", session_id, to_phase=1)
        assert counted.of(FINISHED) == {(WORKFLOW,): 2}
        assert counted.of(VERDICTS) == {("pass", WORKFLOW): 4}


async def test_what_is_refused_before_the_gate_is_no_verdict(small):
    with counting() as counted:
        session_id = await started()
        await complete(session_id, 2)
        await aos_workflow("complete_phase", session_id, phase=1, evidence=None)
        await aos_workflow("complete_phase", ABSENT, phase=1, evidence={})
        assert counted.of(VERDICTS) == {}
        assert counted.of(CALLS) == {
            ("start",): 1,
            ("complete_phase", "StateError"): 1,
            ("complete_phase", "ValueError"): 1,
            ("complete_phase", "NotFoundError"): 1,
        }


async def test_a_gate_that_could_not_look_is_counted_each_time(project):
    gate = {"evidence_schema": {"agreed": {"type": "boolean", "verify": {"approval": "Good?"}}}}
    write_workflow(project / ".praxis-os" / "workflows", gate=gate)
    with counting() as counted:
        session_id = await started()
        for _ in range(2):
            await aos_workflow("complete_phase", session_id, phase=1, evidence={})
        assert counted.of(VERDICTS) == {("could_not_verify", WORKFLOW): 2}


@pytest.mark.parametrize("action", ["Start", "/etc/passwd", "x" * 5_000, "", None, 7, ["start"]])
async def test_an_unknown_action_is_counted_under_one_name(small, action):
    with counting() as counted:
        await aos_workflow(action)
        assert counted.of(CALLS) == {("_OTHER", "ValueError"): 1}


async def test_nothing_that_an_agent_says_becomes_an_attribute(small):
    private = "hunter2"
    with counting() as counted:
        session_id = await started()
        await aos_workflow("start", workflow_type=f"{private}_v1", target_file=f"{private}.py")
        await aos_workflow("list_workflows", category=private)
        await aos_workflow("get_state", f"{private}_a_py_20260314_120000_abcdef")
        evidence = {"tests": 3, "report": private, private: private}
        await aos_workflow("complete_phase", session_id, phase=1, evidence=evidence)
        await aos_workflow("delete_session", session_id, reason=private)
        values = {str(value) for name in counted.metrics() for point in counted.points(name)
                  for pair in point.attributes.items() for value in pair}  # fmt: skip
        assert not [value for value in values if private in value or session_id in value]
        assert counted.of(STARTED) == {(WORKFLOW,): 1}


async def test_names_of_workflows_beyond_the_limit_are_counted_as_one(project, monkeypatch):
    monkeypatch.setattr(telemetry, "MAX_WORKFLOWS", 2)
    shelf = project / ".praxis-os" / "workflows"
    names = [f"w{number}" for number in range(4)]
    for name in names:
        write_workflow(shelf, name)
    with counting() as counted:
        for name in [*names, "w1"]:
            await aos_workflow("start", workflow_type=name, target_file="a.py")
        assert counted.of(STARTED) == {("w0",): 1, ("w1",): 2, ("_OTHER",): 2}


async def test_only_so_many_attempts_are_remembered(small, monkeypatch):
    monkeypatch.setattr(telemetry, "_REMEMBERED", 2)
    instruments = telemetry.Instruments(NoOpMeterProvider())
    remembered = [instruments._is_new((number,)) for number in (1, 1, 2, 3, 1)]
    assert remembered == [True, False, True, True, True]


class BrokenProvider(NoOpMeterProvider):
    """A provider of somebody else's whose meters cannot be made."""

    def get_meter(self, *_args, **_settings):
        raise OSError("/secret/path is not there")


async def test_a_failure_while_counting_is_logged_and_leaves_the_answer_as_it_was(
    small, monkeypatch, caplog
):
    expected = await aos_workflow("list_workflows")
    monkeypatch.setattr(telemetry, "_of_the_process", lambda: telemetry.Instruments(broken))
    broken = BrokenProvider()
    with caplog.at_level(logging.ERROR):
        assert await aos_workflow("list_workflows") == expected
        assert (await aos_workflow("nothing"))["error_type"] == "ValueError"
    assert [record.message[:9] for record in caplog.records] == ["incident "] * 2


async def test_without_a_provider_nothing_is_counted_and_all_is_answered(small):
    session_id = await started()
    assert validate_session_id(session_id)
    assert (await complete(session_id, 1))["checkpoint_passed"] is True


@pytest.mark.parametrize("is_recording", [True, False])
async def test_the_span_of_the_call_says_what_it_was_about(small, is_recording):
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    session_id = await started()
    span = provider.get_tracer("test").start_as_current_span("call")
    with span if is_recording else nullcontext():
        await refused(session_id)
    said = [dict(span.attributes) for span in exporter.get_finished_spans()]
    provider.shutdown()
    assert (
        said
        == [
            {
                "aos_workflow.action": "complete_phase",
                "aos_workflow.error_type": "ValidationError",
                "aos_workflow.workflow_type": WORKFLOW,
                "aos_workflow.phase": 1,
            }
        ]
        * is_recording
    )


async def test_calls_of_other_actions_know_their_session_too(small):
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("test")
    session_id = await started()
    about = {"get_phase": {}, "get_task": {"task_number": 1}, "get_session": {}, "pause": {},
             "resume": {}, "get_errors": {}, "delete_session": {}}  # fmt: skip
    for action, arguments in about.items():
        with tracer.start_as_current_span("call"):
            await aos_workflow(action, session_id, **arguments)
    said = [dict(span.attributes) for span in exporter.get_finished_spans()]
    provider.shutdown()
    session = {"aos_workflow.workflow_type": WORKFLOW, "aos_workflow.phase": 1}
    assert said == [{"aos_workflow.action": action, **session} for action in about]


EXPORTING = """
import json, sys
from pathlib import Path
import anyio
from mcp import Client
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from mcp_server.config import Settings
from mcp_server.server.app import build_server

async def walk():
    async with Client(build_server(Settings(project=Path(sys.argv[1])))) as client:
        await client.call_tool("aos_workflow", {"action": "list_sessions"})
        reader, exporter = InMemoryMetricReader(), InMemorySpanExporter()
        metrics.set_meter_provider(MeterProvider([reader]))
        tracing = TracerProvider()
        tracing.add_span_processor(SimpleSpanProcessor(exporter))
        trace.set_tracer_provider(tracing)
        for arguments in ({"action": "list_sessions"}, {"action": "gone"}):
            await client.call_tool("aos_workflow", arguments)
    (found,) = reader.get_metrics_data().resource_metrics[0].scope_metrics
    counts = [[sorted(p.attributes.values()), p.count] for p in found.metrics[0].data.data_points]
    spans = [dict(s.attributes) for s in exporter.get_finished_spans() if s.kind.name == "SERVER"]
    print(json.dumps([counts, spans]))

anyio.run(walk)
"""


def test_a_provider_that_the_process_gets_later_sees_calls_and_spans_of_the_sdk(project):
    run = subprocess.run(
        [sys.executable, "-c", EXPORTING, str(project)],
        capture_output=True, encoding="utf-8", check=True, timeout=60,
    )  # fmt: skip
    counts, spans = ast.literal_eval(run.stdout)
    assert counts == [[["list_sessions"], 1], [["ValueError", "_OTHER"], 1]]
    assert [span["aos_workflow.action"] for span in spans] == ["list_sessions", "_OTHER"]
    assert [span["gen_ai.tool.name"] for span in spans] == ["aos_workflow"] * 2
    assert [span.get("error.type") for span in spans] == [None, "tool_error"]
    assert [span.get("aos_workflow.error_type") for span in spans] == [None, "ValueError"]


def test_every_action_of_the_tool_is_known_by_name():
    assert {telemetry._known_action(action) for action in VALID_ACTIONS} == VALID_ACTIONS
