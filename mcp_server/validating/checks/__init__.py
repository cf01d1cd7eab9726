"""The checks, action by action; `registry` says what a check is, `everything` lists all."""
