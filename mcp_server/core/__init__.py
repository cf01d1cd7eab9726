"""The workflow engine, the state of sessions and the definitions they follow."""
