"""What permissions contain, and what may be handed on."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.exceptions import PermissionEscalation
from gateway.models.permissions import ANY, PERMISSIONS, PLATFORM_ADMIN, ROLES, grants
from gateway.services.authority import Actor, narrowed

names = st.sampled_from(sorted(PERMISSIONS))
some = st.frozensets(names)


def actor(held: frozenset[str]) -> Actor:
    return Actor("user:u", "t", held, user_id="u")


def may_grant(held: frozenset[str], wanted: frozenset[str]) -> bool:
    try:
        actor(held).require_all(wanted)
    except PermissionEscalation:
        return False
    return True


@given(some)
def test_only_its_name_grants_platform_admin(held: frozenset[str]) -> None:
    assert grants(held, PLATFORM_ADMIN) == (PLATFORM_ADMIN in held)
    assert actor(held).is_platform_admin == (PLATFORM_ADMIN in held)


@given(some, names)
def test_a_star_grants_everything_else(held: frozenset[str], wanted: str) -> None:
    assert grants(held | {ANY}, wanted) == (wanted != PLATFORM_ADMIN or PLATFORM_ADMIN in held)


@given(some, names)
def test_without_a_star_exactly_what_is_held(held: frozenset[str], wanted: str) -> None:
    held -= {ANY}
    assert grants(held, wanted) == (wanted in held)


@given(some, some, names)
def test_what_is_handed_on_was_held(
    held: frozenset[str], wanted: frozenset[str], other: str
) -> None:
    if may_grant(held, wanted) and grants(wanted, other):
        assert grants(held, other)


@given(some, some, some)
def test_nobody_gains_by_a_chain(
    first: frozenset[str], second: frozenset[str], third: frozenset[str]
) -> None:
    if may_grant(first, second) and may_grant(second, third):
        assert may_grant(first, third)


@given(some)
def test_one_may_hand_on_what_one_holds(held: frozenset[str]) -> None:
    assert may_grant(held, held)


@given(some, some, names)
def test_a_narrowed_key_can_do_what_both_could(
    scopes: frozenset[str], held: frozenset[str], wanted: str
) -> None:
    left = narrowed(scopes, held)
    assert grants(left, wanted) == (grants(scopes, wanted) and grants(held, wanted))


def test_roles_grant_permissions_that_exist() -> None:
    assert {name for held in ROLES.values() for name in held} <= set(PERMISSIONS)
    holders = [role for role, held in ROLES.items() if PLATFORM_ADMIN in held]
    assert holders == ["admin"]
