"""How a session that comes whole from another store is stored as rows, within a transaction."""

from mcp_server.core.journal import decode_line
from mcp_server.core.postgres.connections import Connection
from mcp_server.core.postgres.rows import line_of, moved_of, row_of
from mcp_server.core.postgres.statements import Statements
from mcp_server.core.restoring import SoundSession
from mcp_server.errors import ConflictError


def restore(connection: Connection, statements: Statements, session: SoundSession) -> None:
    """Store `session`, or the lines of it that are not there; raises ConflictError."""
    session_id, summary = session.session_id, session.last.state.summary
    rows = connection.execute(statements["lines"], [session_id]).fetchall()
    stored = [bytes(line) for (line,) in rows]
    lacking = session.lacking(stored)
    if stored:
        connection.execute(statements["moved"], moved_of(summary))
    elif not connection.execute(statements["born"], row_of(summary)).rowcount:
        raise ConflictError(
            "Session modified by another operation: the session's id is taken",
            remediation="Send the same call again.",
        )
    for digest, content in session.blobs.items():
        connection.execute(statements["keep"], [session_id, digest, content])
    for line in lacking:
        connection.execute(statements["first"], line_of(line, decode_line(line)))
