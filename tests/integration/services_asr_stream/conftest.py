"""The ASR service with its streams, on real Triton."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from deploy.local.triton import TritonServer
from services.asr.db.schema import MIGRATIONS
from services.asr.main import create_app
from services.asr.settings import AsrSettings
from shared.db.migrations import upgrade
from tests.support.live_app import Keys, LiveApp, live_app
from tests.support.recordings import SAMPLE_RATE, recordings
from tests.support.streaming import STREAM, Heard, encoded, recite


@dataclass(frozen=True)
class Streaming:
    """A running service and its stream's address."""

    app: LiveApp
    settings: AsrSettings

    @property
    def url(self) -> str:
        return self.app.url.replace("http", "ws", 1) + STREAM

    def headers(self, tenant: str = "tenant", subject: str = "key", *scopes: str) -> dict[str, str]:
        made = self.app.keys.headers("asr", *scopes, tenant=tenant, subject=subject)
        return {**made, "x-sg-replica": "abcd1234"}

    async def recite(self, pcm: NDArray[np.int16], **options: Any) -> Heard:
        return await recite(self.url, self.headers(), encoded(pcm), **options)


@pytest.fixture(scope="session")
def make_streaming(
    keys: Keys, triton: TritonServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Streaming]]:
    with ExitStack() as stack:

        def start(**overrides: Any) -> Streaming:
            folder = tmp_path_factory.mktemp("streaming")
            settings = AsrSettings(
                **{
                    "database_url": f"sqlite+aiosqlite:///{folder}/asr.db",
                    "spool_dir": folder / "spool",
                    "triton_url": triton.grpc_url,
                    "identity_public_key_file": keys.public_file,
                    "log_level": "error",
                    **overrides,
                }
            )
            upgrade(MIGRATIONS, settings.database_url)
            app = create_app(settings)
            size = settings.stream_max_message_bytes
            running = live_app("asr", app, keys, ws="websockets-sansio", ws_max_size=size)
            return Streaming(stack.enter_context(running), settings)

        yield start


@pytest.fixture(scope="session")
def streaming(make_streaming: Callable[..., Streaming]) -> Streaming:
    return make_streaming()


@pytest.fixture(scope="session")
def story() -> NDArray[np.int16]:
    """Two utterances of 3 s with a second of silence between them."""
    pause = np.zeros(SAMPLE_RATE, np.int16)
    one, two = (one.samples() for one in recordings() if one.name in ("0880", "0930"))
    return np.concatenate([one, pause, two, pause])
