"""LiteLLM's proxy: one worker, no database; its master key is checked."""

import json
import secrets
from pathlib import Path
from typing import Literal

import httpx

from tests.load.contenders.base import HOST, PATH, Daemon, Served, Target, free_port
from tests.load.machine import ensure_litellm

Kind = Literal["pass-through", "chat"]
CHAT_PATH = "/v1/chat/completions"
CHAT_BODY = json.dumps(
    {"model": "static", "messages": [{"role": "user", "content": "the quick brown fox " * 6}]}
).encode()


class LiteLLM(Served):
    """LiteLLM in front of the upstream.

    Args:
        folder: For its configuration and log.
        upstream: Port of the upstream.
        kind: A pass-through endpoint takes the same requests as the other contenders; the chat
            route is what the proxy is made for, and takes chat completions only.
    """

    def __init__(self, folder: Path, upstream: int, kind: Kind = "pass-through") -> None:
        folder.mkdir(parents=True)
        self.name = "LiteLLM" if kind == "pass-through" else "LiteLLM chat"
        self._path = PATH if kind == "pass-through" else CHAT_PATH
        self._key = f"sk-{secrets.token_hex(16)}"
        config, port = folder / "litellm.json", free_port()
        config.write_text(json.dumps(_config(upstream, self._key)))
        options = ["--config", str(config), "--host", HOST, "--port", str(port)]
        env = {
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "LITELLM_LOG": "ERROR",
            "NO_PROXY": HOST,
        }
        command = [*options, "--num_workers", "1", "--telemetry", "False"]
        super().__init__(Daemon(command, port, folder / "litellm.log", env))

    @property
    def target(self) -> Target:
        """The pass-through endpoint, or the chat route."""
        headers = {"Authorization": f"Bearer {self._key}"}
        return Target(self._daemon.port, self._path, headers)

    def start(self) -> None:
        """Starts it.

        Raises:
            Missing: It cannot be installed.
        """
        self._daemon.command = [str(ensure_litellm()), *self._daemon.command]
        super().start()
        target = self.target
        body = CHAT_BODY if self._path == CHAT_PATH else b"{}"
        headers = {**target.headers, "Content-Type": "application/json"}
        self._daemon.await_answer(httpx.Request("POST", target.url, headers=headers, content=body))


def _config(upstream: int, key: str) -> dict[str, object]:
    base = f"http://{HOST}:{upstream}"
    return {
        "model_list": [
            {
                "model_name": "static",
                "litellm_params": {
                    "model": "openai/static",
                    "api_base": f"{base}/v1",
                    "api_key": "none",
                },
            }
        ],
        "general_settings": {
            "master_key": key,
            "pass_through_endpoints": [{"path": PATH, "target": base + PATH, "auth": True}],
        },
        "litellm_settings": {"telemetry": False},
    }
