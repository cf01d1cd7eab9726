"""The tutorial, followed to the letter."""

from pathlib import Path

from tests.documents.walkthrough import Reader

DOCS = Path(__file__).resolve().parents[2] / "docs"


async def test_the_tutorial_can_be_followed_to_the_letter(tmp_path):
    reader = Reader(tmp_path, tmp_path / "home")
    await reader.follow((DOCS / "tutorial.md").read_text(encoding="utf-8"))
