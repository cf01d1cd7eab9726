"""What people are shown of workflows and sessions: built apart from being printed.

`*_view` modules build plain documents (described in `shapes`), which are what `--json` prints;
`*_text` modules and `board` turn these into lines and tables. Reads only.
"""
