"""A second model is rolled out by a flag of real Unleash, to some keys and then to more."""

import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from deploy.local.postgres import PostgresCluster
from deploy.local.triton import TritonServer
from deploy.local.unleash import ENVIRONMENT, UnleashServer
from gateway.flags.client import FlagClient
from gateway.flags.names import ASR_MODEL
from gateway.flags.router import ModelRouter
from gateway.flags.unleash_provider import UnleashProvider
from gateway.models.flags import DEFAULT_CHOICE, ModelChoice
from gateway.models.keys import KeyLimits, NewKey
from gateway.services.authority import OPERATOR
from services.asr.db.schema import MIGRATIONS
from shared.db.migrations import upgrade
from shared.metrics import Metrics
from tests.integration.gateway.flags.conftest import Client, FlagWorld, client_of, routed
from tests.integration.gateway.harness import QUOTAS, ROOT, Installation, Program, bearer, free_port
from tests.support.flags import ListSink, opened, sender
from tests.support.poll import eventually
from tests.support.recordings import recordings

CANDIDATE = "asr-next"
SUBJECTS = [f"key-{number:05}" for number in range(10_000)]
KEYS = 40
TRANSCRIBE = "/api/v1/asr/transcribe"
DATABASE = "rollout_asr"
RollOut = Callable[[int, Any], None]


class Chooser:
    """The gateway's choice of models, in this process, over Unleash."""

    def __init__(self, client: FlagClient) -> None:
        self._client = client
        self._router = ModelRouter(client, ListSink(), Metrics("test"))

    async def follows(self, percent: int) -> None:
        def known() -> bool:
            flag = self._client.source.document.flags[ASR_MODEL]
            return flag.enabled and flag.rollout == percent and not self._router._remembered

        await eventually(known)

    def of(self, subject: str) -> ModelChoice:
        return self._router.choose(ASR_MODEL, sender(subject), None)

    def chosen(self, subjects: list[str]) -> set[str]:
        return {subject for subject in subjects if self.of(subject) != DEFAULT_CHOICE}


@asynccontextmanager
async def chooser(unleash: UnleashServer) -> AsyncIterator[Chooser]:
    token = unleash.backend_token_file.read_text().strip()
    provider = UnleashProvider(unleash.url, token, ENVIRONMENT, refresh_s=0.2)
    async with opened(provider) as client:
        yield Chooser(client)


async def test_a_tenth_of_10_000_keys_and_then_a_quarter_with_the_same_tenth(
    unleash: UnleashServer, route_asr: RollOut
) -> None:
    route_asr(10, {"model": CANDIDATE})
    async with chooser(unleash) as choices:
        await choices.follows(10)
        tenth = choices.chosen(SUBJECTS)
        assert abs(len(tenth) / len(SUBJECTS) - 0.10) <= 0.01
        assert {choices.of(one) for one in tenth} == {ModelChoice("candidate", CANDIDATE)}
        assert choices.chosen(SUBJECTS) == tenth

        route_asr(25, {"model": CANDIDATE})
        await choices.follows(25)
        quarter = choices.chosen(SUBJECTS)
        assert abs(len(quarter) / len(SUBJECTS) - 0.25) <= 0.01
        assert tenth < quarter


@pytest.fixture(scope="module")
def two_models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TritonServer]:
    """Triton with the project's recognizer and a copy of it under another name."""
    folder = tmp_path_factory.mktemp("models")
    for name, target in (("asr", "asr"), ("asr", CANDIDATE), ("vad", "vad")):
        shutil.copytree(ROOT / "triton_models" / name, folder / target)
    config = folder / CANDIDATE / "config.pbtxt"
    config.write_text(config.read_text().replace('name: "asr"', f'name: "{CANDIDATE}"'))
    # Its own probes would be counted with the inferences.
    server = TritonServer(
        folder, tmp_path_factory.mktemp("triton"), instances=1, probe_every_s=600.0
    )
    server.start()
    yield server
    server.close()


@pytest.fixture(scope="module")
def asr(
    two_models: TritonServer,
    flag_world: FlagWorld,
    postgres: PostgresCluster,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Program]:
    folder, port = tmp_path_factory.mktemp("asr"), free_port()
    (folder / "identity.pem").write_text(flag_world.installation.public_key)
    (folder / "spool").mkdir()
    url = postgres.create_database(DATABASE)
    upgrade(MIGRATIONS, url)
    env = {
        "SPEECHGATE_PORT": str(port),
        "SPEECHGATE_DATABASE_URL": url,
        "SPEECHGATE_SPOOL_DIR": str(folder / "spool"),
        "SPEECHGATE_TRITON_URL": two_models.grpc_url,
        "SPEECHGATE_IDENTITY_PUBLIC_KEY_FILE": str(folder / "identity.pem"),
    }
    log = folder / "asr.log"
    program = Program(["-m", "services.asr", "serve"], port, log, env, health="/ready")
    program.start()
    yield program
    assert program.stop() in (0, -15)


@dataclass(frozen=True)
class RealKey:
    id: str
    text: str


async def make_keys(installation: Installation, count: int) -> list[RealKey]:
    limits = KeyLimits(**dict.fromkeys(QUOTAS, 1_000_000))
    new = NewKey("test", frozenset({"*"}), limits)
    async with installation.services() as services:
        made = [await services.keys.create(OPERATOR, new, tenant_name="a") for _ in range(count)]
    return [RealKey(key.id, text) for key, text in made]


async def transcribed(client: Client, key: RealKey, cluster: PostgresCluster) -> tuple[str, str]:
    """The variant that a request is told, and the model that its row names."""
    recording = next(one for one in recordings() if one.name == "0880")
    files = {"file": recording.path.read_bytes()}
    answer = await client.post(
        TRANSCRIBE, files=files, data={"language": "en"}, headers=bearer(key.text)
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["output"][0]["source"]
    rows = cluster.query("SELECT id, model FROM asr_requests", DATABASE).splitlines()
    return answer.headers["x-model-variant"], dict(row.split("|") for row in rows)[
        answer.json()["id"]
    ]


async def inferences(triton: TritonServer, model: str) -> int:
    async with httpx.AsyncClient(trust_env=False) as client:
        stats = (await client.get(f"{triton.url}/v2/models/{model}/stats")).json()
    return sum(one["inference_stats"]["success"]["count"] for one in stats["model_stats"])


async def test_keys_inside_are_served_by_the_second_model_and_others_by_the_default(
    flag_world: FlagWorld,
    unleash: UnleashServer,
    two_models: TritonServer,
    asr: Program,
    route_asr: RollOut,
) -> None:
    keys = await make_keys(flag_world.installation, KEYS)
    route_asr(25, {"model": CANDIDATE})
    async with chooser(unleash) as choices:
        await choices.follows(25)
        inside = choices.chosen([key.id for key in keys])
    assert 0 < len(inside) < KEYS
    expected = {
        key.id: ("candidate", CANDIDATE) if key.id in inside else ("default", None) for key in keys
    }

    first = next(key for key in keys if key.id in inside)
    async with client_of(flag_world.gateway, first.text) as client:

        async def followed() -> bool:
            return await routed(client) == expected[first.id]

        await eventually(followed)
        assert {key.id: await routed(client, key.text) for key in keys} == expected

    some = [key for key in keys if key.id in inside][:3] + [
        key for key in keys if key.id not in inside
    ][:3]
    with flag_world.another(asr_urls=asr.url) as gateway:
        async with client_of(gateway, first.text) as client:
            before = [await inferences(two_models, model) for model in ("asr", CANDIDATE)]
            for key in some:
                served = await transcribed(client, key, flag_world.cluster)
                assert served == (
                    ("candidate", CANDIDATE) if key.id in inside else ("default", "asr")
                ), "which model Triton was asked is what the row says"
            after = [await inferences(two_models, model) for model in ("asr", CANDIDATE)]
            outside = sum(key.id not in inside for key in some)
            assert after[0] - before[0] == outside
            assert after[1] - before[1] == len(some) - outside > 0

            # A model that Triton does not have costs nobody an answer.
            route_asr(100, {"model": "asr-of-next-year"})

            async def fallen_back() -> bool:
                return await transcribed(client, first, flag_world.cluster) == ("fallback", "asr")

            await eventually(fallen_back, timeout_s=10.0)
