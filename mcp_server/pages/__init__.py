"""A workflow as one Markdown page for people: its diagram, its phases, and how each field is known.

All of it is pure. Every text of an author goes through `escaping`, so that no name can make a
link, a cell, a heading or a node of its own.
"""
