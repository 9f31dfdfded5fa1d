"""Who may do what, and how they show who they are."""

from __future__ import annotations

import time
from typing import Any

import pytest

from detente.errors import DetenteError, UsageError
from detente.limits import LINKS_PER_OPERATOR, UNLOCK_TRIES
from detente.node import operators
from detente.node.operators import (
    LINK_S,
    PASSWORD_CHARS,
    PASSWORD_MOST_CHARS,
    ROLES,
    SESSION_S,
    Officer,
    add_operator,
    begin_unlock,
    check_password,
    end_unlock,
    local_officer,
    lock_session,
    make_link,
    officer_of,
    open_session,
    take_link,
)
from detente.node.store import Store

T0 = 1_790_000_000_000_000
PASSWORD = "p" * PASSWORD_CHARS


def add(store: Store, **changes: Any) -> None:
    """Add an operator."""
    row = {"name": "anna", "role": "watch", "desk": "cell", "password": PASSWORD, **changes}
    add_operator(store, row["name"], row["role"], row["desk"], row["password"], T0)


def test_operator_signs_in_with_the_password_and_no_other(store: Store) -> None:
    """Only the very password opens; an unknown name never does."""
    add(store)
    row = store.operator("anna")
    assert check_password(row, PASSWORD)
    for wrong in (
        "",
        PASSWORD + "p",
        PASSWORD[:-1],
        PASSWORD.upper(),
        "x" * (PASSWORD_MOST_CHARS + 1),
    ):
        assert not check_password(row, wrong)
        assert not check_password(None, wrong)
    assert not check_password(None, PASSWORD)


def test_unknown_name_takes_as_long_as_a_known_one(store: Store) -> None:
    """How long a refusal takes does not tell which names exist: the same work is done for both."""
    add(store)

    def cost(row: Any) -> float:
        best = 9.0
        for _ in range(3):
            started = time.process_time()
            check_password(row, "wrong password")
            best = min(best, time.process_time() - started)
        return best

    known, unknown = cost(store.operator("anna")), cost(None)
    assert unknown > known / 2


def test_password_is_kept_as_a_slow_hash(store: Store) -> None:
    """The store holds an argon2id hash; neither password nor session token is in it."""
    add(store)
    token, _, _ = open_session(store, "anna", T0)
    row = store.operator("anna")
    assert row.password_hash.startswith("$argon2id$")
    assert PASSWORD not in row.password_hash
    from detente.node import schema

    (session,) = store.connection.execute(schema.session.select()).all()
    assert token not in session.token_hash


def test_session_lasts_its_time_and_no_longer(store: Store) -> None:
    """A token opens until its expiry, to the microsecond, and other tokens never."""
    add(store)
    token, officer, expires_us = open_session(store, "anna", T0)
    assert expires_us == T0 + SESSION_S * 1_000_000
    assert officer_of(store, token, expires_us - 1) == officer == Officer("anna", "watch", "cell")
    for bad, now_us in ((token, expires_us), (token[:-1], T0), ("", T0), (token + "x", T0)):
        with pytest.raises(DetenteError) as caught:
            officer_of(store, bad, now_us)
        assert caught.value.code == "sign-in"


def test_expired_sessions_are_removed_at_the_next_sign_in(store: Store) -> None:
    """Sessions do not pile up."""
    from detente.node import schema

    add(store)
    for i in range(5):
        open_session(store, "anna", T0 + i)
    open_session(store, "anna", T0 + SESSION_S * 1_000_000 + 10)
    assert len(store.connection.execute(schema.session.select()).all()) == 1


def test_removed_operator_has_no_session_left(store: Store) -> None:
    """With the operator go the sessions; a session asked for in between is refused."""
    add(store)
    token, _, _ = open_session(store, "anna", T0)
    assert store.remove_operator("anna")
    assert not store.remove_operator("anna")
    for act in (lambda: officer_of(store, token, T0), lambda: open_session(store, "anna", T0)):
        with pytest.raises(DetenteError) as caught:
            act()
        assert caught.value.code == "sign-in"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 65}, "name"),
        ({"name": "a\tb"}, "name"),
        ({"name": "local:root"}, "name"),
        ({"name": "an/na"}, "name"),
        ({"name": ".."}, "name"),
        ({"role": "local"}, "role"),
        ({"role": "boss"}, "role"),
        ({"password": "p" * (PASSWORD_CHARS - 1)}, "password"),
        ({"password": "p" * (PASSWORD_MOST_CHARS + 1)}, "password"),
    ],
)
def test_operator_that_breaks_a_rule_is_not_added(
    store: Store, changes: dict[str, str], field: str
) -> None:
    """Name, role and password each have a rule; the field is named and nothing is kept."""
    with pytest.raises(UsageError) as caught:
        add(store, **changes)
    assert caught.value.field == field
    assert store.operators() == []


def test_name_is_taken_once(store: Store) -> None:
    """A second operator of a name is refused and the first keeps the password; others still go in."""
    add(store)
    with pytest.raises(UsageError) as caught:
        add(store, password="q" * 20)
    assert caught.value.code == "operator-exists"
    add(store, name="ben")
    assert check_password(store.operator("anna"), PASSWORD)
    assert [row.name for row in store.operators()] == ["anna", "ben"]


def test_link_is_good_once_and_for_ten_minutes(store: Store) -> None:
    """A link's secret names its operator once, until its time; what is kept is its hash."""
    from detente.node import schema

    add(store)
    secret, expires_us = make_link(store, "anna", T0)
    assert expires_us == T0 + LINK_S * 1_000_000
    (row,) = store.connection.execute(schema.sign_in_link.select()).all()
    assert secret not in row.secret_hash
    assert take_link(store, secret + "x", T0) is None
    assert take_link(store, secret, expires_us - 1) == "anna"
    assert take_link(store, secret, T0) is None
    secret, expires_us = make_link(store, "anna", T0)
    assert take_link(store, secret, expires_us) is None
    with pytest.raises(UsageError) as caught:
        make_link(store, "nobody", T0)
    assert caught.value.code == "operator-unknown"


def test_links_do_not_pile_up(store: Store) -> None:
    """An operator has ten links at most, the newest; what has expired goes; others' are left alone."""
    from detente.node import schema

    add(store)
    add(store, name="ben")
    of_ben, _ = make_link(store, "ben", T0)
    made = [make_link(store, "anna", T0 + i)[0] for i in range(LINKS_PER_OPERATOR + 1)]
    assert len(store.connection.execute(schema.sign_in_link.select()).all()) == len(made)
    assert take_link(store, made[0], T0) is None
    assert take_link(store, made[1], T0) == take_link(store, made[-1], T0) == "anna"
    assert take_link(store, of_ben, T0) == "ben"
    make_link(store, "ben", T0 + 2 * LINK_S * 1_000_000)
    assert len(store.connection.execute(schema.sign_in_link.select()).all()) == 1


def test_removed_operator_has_no_link_left(store: Store) -> None:
    """A link that was made for somebody who was removed opens nothing, also not for a namesake."""
    add(store)
    secret, _ = make_link(store, "anna", T0)
    store.remove_operator("anna")
    add(store)
    assert take_link(store, secret, T0) is None


def test_guesses_at_the_same_moment_share_no_try(store: Store) -> None:
    """Tries are counted before they are judged: five begun together and wrong end the session."""
    add(store)
    token, _, _ = open_session(store, "anna", T0)
    lock_session(store, token, T0)
    for _ in range(UNLOCK_TRIES):
        begin_unlock(store, token, T0)
    assert end_unlock(store, token, T0, right=False) == 0
    with pytest.raises(DetenteError) as caught:
        end_unlock(store, token, T0, right=True)
    assert caught.value.code == "sign-in"


def test_roles_are_those_of_the_contract() -> None:
    """Six roles; nobody who only reads can say anything, and the admin, who manages, does not speak."""
    assert set(ROLES) - {"local"} == {
        *("watch", "supervisor", "linguist", "records", "reader", "admin")
    }
    assert {r for r, a in ROLES.items() if "say" in a} == {"watch", "supervisor", "local"}
    assert {r for r, a in ROLES.items() if "manage" in a} == {"admin", "local"}
    assert all("read" in actions for actions in ROLES.values())


def test_refusal_names_the_roles_that_may() -> None:
    """An officer whose role may not is told which may."""
    with pytest.raises(DetenteError) as caught:
        Officer("anna", "reader", "cell").check("say")
    assert caught.value.code == "role"
    assert "supervisor, watch" in caught.value.message
    local_officer("root", "cell").check("manage")
    with pytest.raises(DetenteError):
        Officer("anna", "no such role", "cell").check("read")


def test_hash_for_nobody_is_as_costly_as_the_others() -> None:
    """The hash that unknown names are checked against has the parameters of a new one."""
    assert not operators._hasher.check_needs_rehash(operators._NOBODY)
