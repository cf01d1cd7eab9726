"""The time that a report gives itself, in the ways in which writers give it."""

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest

from mcp_server.gates.observation import LookFailedError
from mcp_server.gates.probes.report_time import beginning, latest_reading, require_recent
from tests.gates.probes.probe_builders import look_at
from tests.gates.probes.report_builders import NOON, as_read


@pytest.fixture(name="zone")
def _zone(monkeypatch):
    """Puts the machine into a time zone."""
    if not hasattr(time, "tzset"):
        pytest.skip("the zone of this system cannot be set for one process")

    def put(rule):
        monkeypatch.setenv("TZ", rule)
        time.tzset()

    yield put
    monkeypatch.undo()
    time.tzset()


NEW_YORK = "EST5EDT,M3.2.0,M11.1.0"
TOKYO = "JST-9"


@pytest.mark.parametrize(
    "stamp",
    [
        "2026-03-14T12:00:00Z",
        "2026-03-14T12:00:00+00:00",
        "2026-03-14T14:00:00.000+02:00",
        "2026-03-14 12:00:00.000000000+00:00",
        " 20260314T120000Z ",
        "1773489600",
        "1773489600.0",
        "1773489600000",
        "1773489600000000",
        1773489600,
    ],
)
def test_a_time_with_a_zone_and_a_count_of_seconds_or_less_say_when(stamp):
    assert latest_reading(stamp) == NOON


def test_a_time_without_a_zone_is_the_later_of_universal_and_local_time(zone):
    zone(NEW_YORK)
    assert latest_reading("2026-03-14T12:00:00") == NOON + timedelta(hours=4)


def test_where_local_time_is_ahead_a_time_without_a_zone_is_universal_time(zone):
    zone(TOKYO)
    assert latest_reading("2026-03-14T12:00:00") == NOON


def test_an_hour_that_comes_twice_is_read_as_its_second_coming(zone):
    zone(NEW_YORK)
    assert latest_reading("2026-11-01T01:30:00") == datetime(2026, 11, 1, 6, 30, tzinfo=UTC)


def test_a_date_alone_may_be_its_last_moment(zone):
    zone(TOKYO)
    assert latest_reading("2026-03-14") == datetime(2026, 3, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    "stamp",
    ["", "soon", "0", "-1", "nan", "inf", "9" * 400, "0001-01-01T00:00:00+14:00", "9999-12-31",
     None, "2026-13-01T00:00:00", "12:00", "1e99", True, ["2026-03-14"]],
)  # fmt: skip
def test_what_is_no_time_is_passed_over(stamp):
    assert latest_reading(stamp) is None


def test_a_report_from_before_is_stale_and_both_times_are_said(tmp_path):
    file = as_read(tmp_path, "report.xml", "x")
    since = (NOON + timedelta(seconds=2)).astimezone(timezone(timedelta(hours=1)))
    with pytest.raises(LookFailedError) as caught:
        require_recent(file, ["2026-03-14T12:00:00Z"], since)
    assert caught.value.reason == (
        "report.xml is stale: by its own timestamp it tells of a run at 2026-03-14 12:00:00 UTC,"
        " before 2026-03-14 12:00:02 UTC; run it again"
    )
    assert caught.value.sources == (file.source,)


def test_one_old_time_among_new_ones_makes_a_report_stale(tmp_path):
    file = as_read(tmp_path, "report.xml", "x")
    stamps = ["2026-03-14T13:00:00Z", "2026-03-14T11:00:00Z", "never"]
    with pytest.raises(LookFailedError, match="11:00:00 UTC, before 2026-03-14 12:00:00"):
        require_recent(file, stamps, NOON)


@pytest.mark.parametrize("stamps", [[], ["never"], ["2026-03-14T12:00:00Z"]])
def test_a_report_without_an_old_time_is_recent(tmp_path, stamps):
    file = as_read(tmp_path, "report.xml", "x")
    require_recent(file, stamps, NOON)
    require_recent(file, stamps, NOON + timedelta(seconds=1))


def test_where_any_time_will_do_an_old_one_does(tmp_path):
    require_recent(as_read(tmp_path, "report.xml", "x"), ["1999-01-01T00:00:00Z"], None)


def test_what_is_reported_must_have_run_since_the_phase_or_the_command_began(tmp_path):
    look = look_at(tmp_path, started=NOON)
    assert beginning(look, fresh=True) == NOON
    assert beginning(look, fresh=False) is None
