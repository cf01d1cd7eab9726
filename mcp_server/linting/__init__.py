"""The linter of workflow definitions: every problem at once, with its place and its remedy.

The library stops at the first thing that keeps a definition from loading; here all of them are
collected, with what loads and is wrong all the same. Errors are what the library refuses and what
would silently not do what was written; everything else is a warning.
"""
