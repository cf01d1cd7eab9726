"""`aos-workflow token`: what a person is told when tokens are made, listed and revoked."""

import sys

from rich.console import Console

from mcp_server.core.state_manager import utc_now
from mcp_server.core.views import timestamp
from mcp_server.http.tokens import Token, TokenFile
from mcp_server.maintenance import parse_age
from mcp_server.viewing.check_shapes import TokenRow
from mcp_server.viewing.printing import Column, Row, print_json, print_table

_COLUMNS = (Column("name"), Column("role"), Column("created"), Column("expires"))


def new_token(
    file: TokenFile, name: str, expires: str | None, console: Console, *, admin: bool
) -> int:
    """Make a token and print it, alone on standard output: it is shown this once."""
    lasting = parse_age(expires) if expires else None
    secret = file.new(name, lasting=lasting, admin=admin)
    sees = "the sessions of all" if admin else f"the sessions of token:{name}"
    sys.stderr.write(f"This token is shown only now. Whoever has it sees {sees}.\n")
    console.print(secret)
    return 0


def list_tokens(file: TokenFile, console: Console, *, as_json: bool) -> int:
    """Print who has a token, without the tokens."""
    tokens = file.tokens()
    if as_json:
        print_json(console, {"tokens": [_row(token) for token in tokens], "count": len(tokens)})
        return 0
    if not tokens:
        console.print("There are no tokens. Make one: aos-workflow token new NAME")
        return 0
    print_table(console, _COLUMNS, [Row(_cells(_row(token))) for token in tokens])
    return 0


def revoke_token(file: TokenFile, name: str, console: Console) -> int:
    """Take a token away."""
    file.revoke(name)
    console.print(f"Revoked {name}: running servers refuse it from now on. Its sessions remain.")
    return 0


def _row(token: Token) -> TokenRow:
    return TokenRow(
        name=token.name,
        admin=token.admin,
        created=str(timestamp(token.created)),
        expires=timestamp(token.expires),
        expired=token.is_expired(utc_now()),
    )


def _cells(row: TokenRow) -> list[str]:
    expires = row["expires"] or "never"
    told = f"{expires} (expired)" if row["expired"] else expires
    return [row["name"], "admin" if row["admin"] else "caller", row["created"], told]
