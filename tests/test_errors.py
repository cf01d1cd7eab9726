"""The error hierarchy: stable types, and everything an answer needs."""

import pytest

from mcp_server import errors
from mcp_server.errors import WorkflowError

TYPES = {
    "InvalidArgumentError": "ValueError",
    "NotFoundError": "NotFoundError",
    "StateError": "StateError",
    "GateRefusedError": "ValidationError",
    "VerificationUnavailableError": "VerificationUnavailable",
    "ConflictError": "ConflictError",
    "LimitError": "LimitError",
    "DefinitionError": "DefinitionError",
    "DiskRefusedError": "PermissionError",
    "DamagedStateError": "RuntimeError",
    "StoreUnavailableError": "RuntimeError",
    "ConfigurationError": "RuntimeError",
    "CutoverError": "RuntimeError",
    "UneditableError": "RuntimeError",
    "InternalError": "RuntimeError",
}


def test_every_leaf_answers_with_its_published_type():
    leaves = {leaf.__name__: leaf.error_type for leaf in WorkflowError.__subclasses__()}
    assert leaves == TYPES


def test_no_leaf_has_leaves_of_its_own():
    assert [leaf for leaf in WorkflowError.__subclasses__() if leaf.__subclasses__()] == []


def test_only_leaves_have_a_type():
    assert not hasattr(WorkflowError, "error_type")


@pytest.mark.parametrize("name", TYPES)
def test_an_error_says_what_happened_and_what_to_do(name):
    error = getattr(errors, name)(
        "it broke at 7", remediation="Mend it.", details={"at": 7}, fields={"passed": False}
    )
    told = (str(error), error.message, error.remediation, error.details, error.fields)
    assert told == ("it broke at 7", "it broke at 7", "Mend it.", {"at": 7}, {"passed": False})


def test_details_and_fields_are_copies_that_default_to_nothing():
    given = {"at": 7}
    error = errors.StateError("no", remediation="Stop.", details=given, fields=given)
    given["at"] = 8
    bare = errors.StateError("no", remediation="Stop.")
    assert (error.details, error.fields, bare.details, bare.fields) == (
        {"at": 7},
        {"at": 7},
        {},
        {},
    )


def test_an_error_cannot_be_raised_without_a_remedy():
    with pytest.raises(TypeError, match="remediation"):
        errors.StateError("no")


def test_a_bad_argument_is_a_value_error_to_plain_callers():
    assert issubclass(errors.InvalidArgumentError, ValueError)
