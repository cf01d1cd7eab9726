"""Which project is served where only the client can say: its roots, or the working directory."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import MCPError
from mcp.server.context import ServerRequestContext
from mcp.types import ClientCapabilities, ErrorData, ListRootsResult, Root, RootsCapability

from mcp_server.config import Settings
from mcp_server.server import roots
from mcp_server.server.app import build_server
from mcp_server.server.roots import folder_of, root_among
from tests.revisions import HANDSHAKE, STATELESS, connected
from tests.server.wire import Wire, tool_call

OLDER = HANDSHAKE[-1]

REFUSAL = (
    "the working directory is a home folder or the root of the file system, and nothing says which"
    " project to serve"
)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home folder, and the working directory; nothing names a project."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A folder that a client has open."""
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


class Roots:
    """Names roots, and counts how often it was asked."""

    def __init__(self, *folders: Any) -> None:
        self.uris = [getattr(folder, "as_uri", lambda f=folder: f)() for folder in folders]
        self.asked = 0

    async def __call__(self, _context: Any) -> ListRootsResult | ErrorData:
        self.asked += 1
        return ListRootsResult(roots=[Root(uri=uri) for uri in self.uris])


def unsettled():
    return build_server(Settings(project=Path.cwd()), is_settled=False)


async def start(client):
    call = {"action": "start", "workflow_type": "code_review_v1", "target_file": "src"}
    return (await client.call_tool("aos_workflow", call)).structured_content


def is_served(folder):
    return (folder / ".praxis-os" / "state" / "workflows").is_dir()


@pytest.mark.parametrize("revision", HANDSHAKE)
async def test_an_older_client_that_names_its_root_is_served_there(home, work, revision):
    named = Roots(work)
    async with connected(unsettled(), revision, list_roots_callback=named) as client:
        await client.list_tools()
        assert named.asked == 0
        for _ in range(2):
            await start(client)
    assert is_served(work)
    assert not is_served(home)
    assert named.asked == 1


async def test_a_plain_working_directory_gives_way_to_a_root(home, work, tmp_path, monkeypatch):
    plain = tmp_path / "plain"
    plain.mkdir()
    monkeypatch.chdir(plain)
    async with connected(unsettled(), OLDER, list_roots_callback=Roots(work)) as client:
        assert (await start(client))["status"] == "success"
    assert is_served(work)


@pytest.mark.parametrize("revision", [OLDER, *STATELESS])
async def test_a_client_without_roots_is_served_the_working_directory(work, monkeypatch, revision):
    monkeypatch.chdir(work)
    async with connected(unsettled(), revision) as client:
        assert (await start(client))["status"] == "success"
    assert is_served(work)


async def test_a_newer_client_is_not_asked(home, work):
    named = Roots(work)
    async with connected(unsettled(), STATELESS[0], list_roots_callback=named) as client:
        assert (await start(client))["error"] == REFUSAL
    assert named.asked == 0


async def test_a_client_at_the_other_end_of_a_network_is_not_asked(home):
    class Session:
        """A client that would name its roots."""

        client_capabilities = ClientCapabilities(roots=RootsCapability())
        can_send_request = True

        async def send_request(self, *_: object) -> ListRootsResult:
            raise AssertionError("asked")

    over_http = ServerRequestContext(
        session=Session(),
        lifespan_context=None,
        protocol_version=OLDER,
        method="tools/call",
        request=object(),
    )
    found = await roots.ClientsProject(Settings(project=home))(over_http)
    assert found.message == REFUSAL
    with pytest.raises(AssertionError, match="asked"):
        await roots.ClientsProject(Settings(project=home))(replace(over_http, request=None))


@pytest.mark.parametrize("revision", [OLDER, *STATELESS])
async def test_without_any_project_each_call_teaches_how_to_name_one(home, revision):
    async with connected(unsettled(), revision) as client:
        assert await start(client) == {
            "status": "error",
            "action": "start",
            "error": REFUSAL,
            "error_type": "RuntimeError",
            "remediation": "Pass --project FOLDER, or set AOS_WORKFLOW_PROJECT, or start the server"
            " in a project folder.",
        }
        assert [item.uri for item in (await client.list_resources()).resources] == [
            "aos://workflows"
        ]
        with pytest.raises(MCPError, match="which project to serve"):
            await client.read_resource("aos://workflows")
        with pytest.raises(MCPError, match="which project to serve"):
            await client.get_prompt("continue_session")
    assert list(home.iterdir()) == []


async def test_a_client_may_open_a_project_later(home, work):
    named = Roots()
    async with connected(unsettled(), OLDER, list_roots_callback=named) as client:
        assert (await start(client))["error"] == REFUSAL
        named.uris.append(work.as_uri())
        assert (await start(client))["status"] == "success"
        named.uris[:] = []
        assert (await start(client))["status"] == "success"


async def test_a_client_that_refuses_to_name_its_roots_has_none(home):
    async def refuse(_context: Any) -> ErrorData:
        return ErrorData(code=-32603, message="no")

    async with connected(unsettled(), OLDER, list_roots_callback=refuse) as client:
        assert (await start(client))["error"] == REFUSAL


async def test_a_client_that_never_answers_is_asked_once(home, monkeypatch):
    monkeypatch.setattr(roots, "PATIENCE", 0.01)
    asked = 0

    async def hang(_context: Any) -> ListRootsResult:
        nonlocal asked
        asked += 1
        await anyio.sleep_forever()
        raise AssertionError

    async with connected(unsettled(), OLDER, list_roots_callback=hang) as client:
        for _ in range(2):
            assert (await start(client))["error"] == REFUSAL
    assert asked == 1


def test_of_several_roots_the_marked_one_is_served(home, tmp_path):
    plain, repository, praxis = (tmp_path / name for name in ("a", "b", "c"))
    for folder in (plain, repository / ".git", praxis / ".praxis-os"):
        folder.mkdir(parents=True)
    uris = [folder.as_uri() for folder in (plain, repository, praxis)]
    assert root_among(uris) == praxis
    assert root_among(uris[:2]) == repository
    assert root_among(uris[:1]) == plain


def test_roots_that_are_too_wide_or_not_there_do_not_count(home, work, tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(home)
    wide = ["file:///", home.as_uri(), (tmp_path / "link").as_uri()]
    assert root_among(wide) is None
    assert root_among([(tmp_path / "none").as_uri(), (tmp_path / "file").as_uri()]) is None
    assert root_among([*wide, "", "file:", "http://[", work.as_uri()]) == work


def test_only_so_many_roots_are_looked_at(home, work):
    assert root_among([*["file:///none"] * roots.MAX_ROOTS, work.as_uri()]) is None


@pytest.mark.parametrize(
    ("uri", "posix", "windows"),
    [
        ("file:///work/a%20b", "/work/a b", None),
        ("file://localhost/work", "/work", None),
        ("file:///C:/work/a%20b", "/C:/work/a b", "C:/work/a b"),
        ("file:///c%3A/work", "/c:/work", "c:/work"),
        ("file://C:/work", None, "C:/work"),
        ("file://server/share/work", None, "//server/share/work"),
        ("file:///work#part", "/work", None),
        ("file:///%E2%82%AC", "/€", None),
        ("FILE:///work", "/work", None),
        ("file:///a%00b", None, None),
        ("file:work", None, None),
        ("work", None, None),
        ("https://example/work", None, None),
        ("file://[", None, None),
    ],
)
def test_a_file_uri_is_read_as_the_path_that_it_names(uri, posix, windows):
    assert folder_of(uri, windows=False) == posix
    assert folder_of(uri, windows=True) == windows


@pytest.mark.parametrize("revision", [OLDER, *STATELESS])
@pytest.mark.parametrize("where", ["home", "/"])
def test_a_server_that_starts_where_no_project_is_answers_and_teaches(home, revision, where):
    folder = home if where == "home" else Path("/")
    with Wire(revision, folder, AOS_WORKFLOW_PROJECT="") as wire:
        assert wire.opened["capabilities"]["tools"] is not None
        (tool,) = wire.ask("tools/list", number=1)["tools"]
        assert tool["name"] == "aos_workflow"
        result = wire.ask("tools/call", tool_call("list_workflows"), number=2)
        assert result["isError"] is True
        assert result["structuredContent"]["error"] == REFUSAL


def test_a_server_process_asks_an_older_client_through_the_pipe(home, work):
    offered = {"roots": {"listChanged": True}}
    with Wire(OLDER, home, AOS_WORKFLOW_PROJECT="", capabilities=offered) as wire:
        wire.send("tools/call", tool_call("list_workflows"), number=1)
        asked = wire.get()
        assert asked["method"] == "roots/list"
        result = {"roots": [{"uri": work.as_uri(), "name": "work"}]}
        wire.put({"jsonrpc": "2.0", "id": asked["id"], "result": result})
        assert wire.answer_to(1)["structuredContent"]["status"] == "success"
