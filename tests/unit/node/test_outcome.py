"""The table from errors to exit codes and statuses, both ways."""

from __future__ import annotations

import pytest

from detente.errors import DetenteError, PeerError, RefusedError, UnavailableError, UsageError
from detente.node.outcome import error_from_json, error_json, exit_code, http_status, trace

KINDS = [
    (UsageError("x", "text", hint="do", field="f"), 2, 400),
    (PeerError("x", "text", hint="do", field="f"), 1, 400),
    (RefusedError("x", "text", hint="do", field="f"), 1, 422),
    (UnavailableError("x", "text", hint="do", field="f"), 4, 503),
    (DetenteError("x", "text", hint="do", field="f"), 2, 400),
]


@pytest.mark.parametrize(("error", "code", "status"), KINDS)
def test_kind_of_error_decides_code_and_status(error: DetenteError, code: int, status: int) -> None:
    """Whose fault it is decides the exit code and the HTTP status."""
    assert (exit_code(error), http_status(error)) == (code, status)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("store-unavailable", 507),
        ("body-too-large", 413),
        ("frame-too-large", 413),
        ("sign-in", 401),
        ("role", 403),
        ("console-header", 403),
        ("other-origin", 403),
        ("unlock", 403),
        ("host", 421),
        ("locked", 423),
        ("notice-unknown", 404),
        ("notice-exists", 409),
    ],
)
def test_error_with_a_status_of_its_own_has_it(code: str, status: int) -> None:
    """Some rules have a status that says them better."""
    assert http_status(DetenteError(code, "text")) == status


@pytest.mark.parametrize("error", [kind for kind, _, _ in KINDS])
def test_error_survives_the_way_through_the_api(error: DetenteError) -> None:
    """A command sees the same error whether the node runs in its process or in another."""
    again = error_from_json(error_json(error), 400)
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert (again.code, again.hint, again.field) == (error.code, error.hint, error.field)
    assert exit_code(again) == exit_code(error)


@pytest.mark.parametrize(
    "value", [None, [], "text", {}, {"error": {}}, {"error": {"kind": "Boss"}}]
)
@pytest.mark.parametrize(("status", "code"), [(500, 4), (404, 2)])
def test_answer_in_no_known_shape_is_still_an_error(value: object, status: int, code: int) -> None:
    """Whatever answered, a command ends with a sentence and a code."""
    found = error_from_json(value, status)
    assert exit_code(found) == code
    assert str(found)


def test_trace_names_places_and_never_the_text() -> None:
    """What is logged of a fault is its kind and place: its text may be somebody's notice."""
    try:
        raise ValueError("SECRET")
    except ValueError as error:
        found = trace(error)
    assert found.startswith("ValueError at ")
    assert "test_outcome:" in found
    assert "SECRET" not in found
