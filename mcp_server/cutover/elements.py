"""Entries taken out of collections and lists of imported names, with their commas. Pure."""

from collections.abc import Sequence

import libcst as cst

from mcp_server.cutover.parsed import ParsedModule
from mcp_server.cutover.text_edits import TextEdits

Part = cst.BaseElement | cst.BaseDictElement | cst.ImportAlias


def drop_elements(
    edits: TextEdits,
    module: ParsedModule,
    elements: Sequence[Part],
    gone: set[int],
    around: cst.CSTNode,
) -> None:
    """Drop the elements whose ids are given from the sequence that they are part of."""
    is_tuple = isinstance(around, cst.Tuple)
    kept = [element for element in elements if id(element) not in gone]
    if not kept and isinstance(around, cst.Set):
        edits.replace(module.start(around), module.end(around), "set()")
        return
    if not kept and isinstance(around, cst.Tuple) and not around.lpar:
        edits.replace(module.start(around), module.end(around), "()")
        return
    if is_tuple and len(kept) == 1 and _end_with_comma(module, kept[0]) == module.end(kept[0]):
        # One element makes a tuple by its comma only.
        edits.replace(module.end(kept[0]), module.end(kept[0]), ",")
    ends = [_end_with_comma(module, element) for element in elements]
    for index, element in enumerate(elements):
        if id(element) not in gone:
            continue
        start = module.start(element)
        if edits.has_own_lines(start, ends[index]):
            edits.replace(*edits.line_span(start, ends[index]), "")
        elif index + 1 < len(elements):
            edits.replace(start, module.start(elements[index + 1]), "")
        else:
            edits.replace(_start_of_last(module, elements, gone, is_tuple), ends[index], "")


def _end_with_comma(module: ParsedModule, element: Part) -> int:
    """Return where an element ends, its comma included."""
    end = module.end(element)
    comma = getattr(element, "comma", None)
    if not isinstance(comma, cst.Comma):
        return end
    written = module.source.find(",", end)
    return written + 1 if written >= 0 else end


def _start_of_last(
    module: ParsedModule, elements: Sequence[Part], gone: set[int], is_tuple: bool
) -> int:
    """Return where to cut when the last element goes: after the last one that stays."""
    kept = [element for element in elements if id(element) not in gone]
    if not kept:
        return module.start(elements[-1])
    if is_tuple or _end_with_comma(module, elements[-1]) > module.end(elements[-1]):
        return _end_with_comma(module, kept[-1])
    return module.end(kept[-1])
