"""Changing a text at one place, with every other byte kept; knows no file and no program."""
