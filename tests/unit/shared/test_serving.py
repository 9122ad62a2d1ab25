import pytest

from shared.caller import Caller
from shared.metrics import Metrics
from shared.problem import Unavailable
from shared.serving import ModelNotAllowed, ModelSelector, Served, parse_reference, split_reference
from shared.text.problems import UnknownModel

MODELS = {"default": "asr", "large": "asr-large"}


class Triton:
    """Serves some references; counts who asks."""

    def __init__(self, *served: str) -> None:
        self.served = set(served)
        self.asked = 0
        self.down = False

    async def ready(self, reference: str) -> bool:
        self.asked += 1
        if self.down:
            raise Unavailable("down")
        return reference in self.served


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def caller(preferred: str | None = None, *models: str) -> Caller:
    return Caller("t", "s", "r", "x", preferred, frozenset(models) or None)


@pytest.fixture
def triton() -> Triton:
    return Triton("asr", "asr-candidate", "asr-candidate/2")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def selector(triton: Triton, clock: Clock) -> ModelSelector:
    return ModelSelector(MODELS, triton.ready, UnknownModel, Metrics("test"), clock=clock)


@pytest.mark.parametrize(
    ("service_id", "sender", "expected"),
    [
        (None, caller(), Served("asr", "default")),
        ("default", caller(), Served("asr", "default")),
        ("large", caller(), Served("asr-large", "pinned")),
        (None, caller("asr-candidate"), Served("asr-candidate", "variant")),
        (None, caller("asr-candidate/2"), Served("asr-candidate/2", "variant")),
        (None, caller("asr-candidate/3"), Served("asr", "fallback")),
        ("large", caller("asr-candidate"), Served("asr-large", "pinned")),
        # A key that is bound to models: to those by name, and to no others.
        ("asr-own", caller(None, "asr-own"), Served("asr-own", "pinned")),
        (None, caller("asr-candidate", "asr"), Served("asr", "default")),
        (None, caller("asr-candidate/2", "asr-candidate"), Served("asr-candidate/2", "variant")),
    ],
)
async def test_who_serves(
    selector: ModelSelector, service_id: str | None, sender: Caller, expected: Served
) -> None:
    assert await selector.select(service_id, sender) == expected


async def test_a_key_bound_to_models_may_use_no_other(selector: ModelSelector) -> None:
    for service_id, sender in (("large", caller(None, "asr")), (None, caller(None, "asr-own"))):
        with pytest.raises(ModelNotAllowed) as refused:
            await selector.select(service_id, sender)
        assert (refused.value.status, refused.value.code) == (403, "model_not_allowed")


async def test_an_unknown_service_is_named_as_such(selector: ModelSelector) -> None:
    with pytest.raises(UnknownModel):
        await selector.select("asr-own", caller())


async def test_triton_is_asked_about_a_variant_every_two_seconds(
    selector: ModelSelector, triton: Triton, clock: Clock
) -> None:
    for _ in range(100):
        await selector.select(None, caller("asr-candidate"))
    assert triton.asked == 1
    triton.served.clear()
    assert (await selector.select(None, caller("asr-candidate"))).used == "variant"
    clock.now = 2.1
    assert (await selector.select(None, caller("asr-candidate"))).used == "fallback"


async def test_a_dead_triton_is_no_reason_to_fall_back(
    selector: ModelSelector, triton: Triton
) -> None:
    triton.down = True
    assert (await selector.select(None, caller("asr-candidate"))).used == "variant"


@pytest.mark.parametrize("text", ["asr", "asr/2", "a.b-c_d", "A1/123"])
def test_well_formed_references(text: str) -> None:
    assert parse_reference(text) == text


@pytest.mark.parametrize(
    "text",
    [
        *[None, "", "a b", "a/b", "a/1/2", "../a", "a\n", "a/", "é", "a" * 65, "a/1234567890"],
        "a" * 62 + "/12",
    ],
)
def test_malformed_references_are_absent(text: str | None) -> None:
    assert parse_reference(text) is None


def test_a_reference_without_a_version_means_the_newest() -> None:
    assert split_reference("asr") == ("asr", "")
    assert split_reference("asr/2") == ("asr", "2")


async def test_a_sibling_has_models_of_its_own(selector: ModelSelector) -> None:
    sibling = selector.sibling({"default": "nmt"})
    assert await sibling.select(None, caller()) == Served("nmt", "default")
    assert await selector.select(None, caller()) == Served("asr", "default")
    with pytest.raises(UnknownModel):
        await sibling.select("large", caller())
