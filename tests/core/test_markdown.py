"""What is read out of a definition's Markdown, and what is left alone."""

import time

import pytest

from mcp_server.core.markdown import MAX_STEP, Document

TITLES = {
    "first heading": ("# Phase 1: Plan\n\n# Other\n", "Phase 1: Plan"),
    "any level": ("text\n\n### Plan\n\n# Later\n", "Plan"),
    "underlined": ("Plan\n====\n", "Plan"),
    "closed": ("# Plan #\n", "Plan"),
    "not in a code block": ("```\n# comment\n```\n\n# Plan\n", "Plan"),
    "not in an indented block": ("    # comment\n\n# Plan\n", "Plan"),
    "markup is kept": ("# The `plan` of *all*\n", "The `plan` of *all*"),
    "windows lines": ("# Plan\r\n\r\ntext\r\n", "Plan"),
    "no space is no heading": ("#Plan\n", None),
    "none": ("just text\n", None),
    "nothing": ("", None),
}


@pytest.mark.parametrize(("text", "title"), TITLES.values(), ids=TITLES)
def test_the_title_is_the_first_heading(text, title):
    assert Document(text).title == title


PARAGRAPHS = {
    "after the title": ("# T\n\nFirst.\n\nSecond.\n", "First."),
    "lines are joined": ("# T\n\nFirst\n  line.\n", "First line."),
    "labels are passed over": ("# T\n\n**Purpose:** x\n\nFirst.\n", "First."),
    "lists are passed over": ("- item\n\nFirst.\n", "First."),
    "quotes are passed over": ("> quote\n\nFirst.\n", "First."),
    "code is passed over": ("```\ncode\n```\n\nFirst.\n", "First."),
    "bold text is no label": ("**Note** well.\n", "**Note** well."),
    "bold in the middle": ("It is **bold: yes**.\n", "It is **bold: yes**."),
    "none": ("# T\n", None),
}


@pytest.mark.parametrize(("text", "paragraph"), PARAGRAPHS.values(), ids=PARAGRAPHS)
def test_the_first_paragraph_is_the_first_text_that_is_no_label(text, paragraph):
    assert Document(text).first_paragraph == paragraph


LABELS = {
    "colon inside": ("**Purpose:** Plan it\n", "Plan it"),
    "colon outside": ("**Purpose**: Plan it\n", "Plan it"),
    "any case": ("**PURPOSE:** Plan it\n", "Plan it"),
    "another name": ("**Goal:** Plan it\n", "Plan it"),
    "one line of several": ("**Time:** 5\n**Purpose:** Plan it  \n**Other:** x\n", "Plan it"),
    "the first of several": ("**Goal:** a\n\n**Purpose:** b\n", "a"),
    "in a list": ("- **Purpose:** Plan it\n", "Plan it"),
    "not in code": ("```\n**Purpose:** no\n```\n", None),
    "no colon": ("**Purpose** x\n", None),
    "no value": ("**Purpose:**\n", None),
    "not the start of a line": ("The **Purpose:** x\n", None),
    "longer name": ("**Purpose of it:** x\n", None),
}


@pytest.mark.parametrize(("text", "value"), LABELS.values(), ids=LABELS)
def test_a_labelled_line_is_found_by_its_name(text, value):
    assert Document(text).label("Purpose", "Goal") == value


STEPS = {
    "headings": ("## Step 1: Read\n\n1. not this\n\n## Step 2 - Write\n", ("Read", "Write")),
    "headings in any form": (
        "### step 1. Read\n\n### STEP 2) Write\n\n### Step 3 Run\n", ("Read", "Write", "Run"),
    ),
    "list under a heading of steps": (
        "1. before\n\n## Execution Steps\n\n1. Read\n2. Write\n", ("Read", "Write"),
    ),
    "first list without such a heading": (
        "# Task\n\n1. Read\n2. Write\n\n## More\n\n1. no\n", ("Read", "Write"),
    ),
    "first list under such headings": ("## Steps\n\n1. a\n\n## Next steps\n\n1. b\n", ("a",)),
    "nested items belong to theirs": (
        "1. Read\n   1. inner\n   - inner\n2. Write\n", ("Read", "Write"),
    ),
    "first line only": ("1. Read\n   all of it\n\n   and more\n2. Write\n", ("Read", "Write")),
    "item that begins with code": (
        "1. ```\n   code\n   ```\n   Read\n2. Write\n", ("Read", "Write"),
    ),
    "numbers in code are no steps": ("```\n1. no\n```\n", ()),
    "numbers in a quote are no steps": ("> 1. no\n", ()),
    "numbers under a bullet are no steps": (
        "- a\n  1. no\n- b\n\n1. yes\n", ("yes",),
    ),
    "bullets are no steps": ("- no\n", ()),
    "heading without text": ("## Step 1\n\n## Step 2: Write\n", ("", "Write")),
    "nothing": ("", ()),
    "long step": (f"1. {'x' * 200}\n", ("x" * (MAX_STEP - 1) + "…",)),
    "step of the greatest length": (f"1. {'x' * MAX_STEP}\n", ("x" * MAX_STEP,)),
}  # fmt: skip


@pytest.mark.parametrize(("text", "steps"), STEPS.values(), ids=STEPS)
def test_the_steps_are_read_from_headings_or_from_a_numbered_list(text, steps):
    assert Document(text).steps() == steps


HOSTILE = {
    "quotes": ">" * 50_000,
    "brackets": "[" * 200_000,
    "bullets": "- " * 50_000,
    "emphasis": "*" * 200_000,
    "backquotes": "`" * 200_000,
    "label": "**" + "a" * 200_000,
    "labels": "**a" * 60_000,
    "step heading": "# Step 1" + " " * 100_000 + "x",
    "references": "[a]: b\n" * 10_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_document_is_read_quickly(text):
    begin = time.perf_counter()

    document = Document(text)
    _ = (document.title, document.first_paragraph, document.label("Purpose"), document.steps())

    assert time.perf_counter() - begin < 3
