"""The few calls of Triton's HTTP protocol (KServe v2) that the launcher makes.

Each call uses a connection of its own: Triton waits for open keep-alive connections when it
stops.
"""

import http.client
import json
import random
from typing import Any

# Bytes per Triton type do not matter here: JSON carries the values.
_WIRE_TYPES = {"TYPE_STRING": "BYTES"}
_SAMPLES = 1_600  # 0.1 s at 16 kHz: what a free dimension of a numeric tensor gets


class TritonUnavailableError(Exception):
    """The server did not answer: refused, reset, or not in time."""


class TritonClient:
    """Health, model control and tiny inferences of one server on loopback."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port

    def request(
        self, method: str, path: str, body: object = None, timeout_s: float = 5.0
    ) -> tuple[int, bytes]:
        """Makes one call.

        Raises:
            TritonUnavailableError: There was no answer.
        """
        connection = http.client.HTTPConnection(self._host, self._port, timeout=timeout_s)
        try:
            payload = None if body is None else json.dumps(body).encode()
            connection.request(method, path, payload, {"Connection": "close"})
            response = connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            raise TritonUnavailableError(str(error)) from error
        finally:
            connection.close()

    def ready(self) -> bool:
        """Whether the server is up with its models; says nothing about their processes."""
        try:
            return self.request("GET", "/v2/health/ready", timeout_s=1.0)[0] == http.client.OK
        except TritonUnavailableError:
            return False

    def state(self, model: str) -> str:
        """A model's state in the repository index: READY, LOADING, UNLOADING, UNAVAILABLE."""
        status, body = self.request("POST", "/v2/repository/index", {})
        if status != http.client.OK:
            raise TritonUnavailableError(f"repository index: status {status}")
        states = [row.get("state", "") for row in json.loads(body) if row["name"] == model]
        return "READY" if "READY" in states else next(iter(states), "")

    def load(self, model: str, timeout_s: float = 60.0) -> bool:
        """Loads a model; True when it is loaded."""
        return self.load_failure(model, timeout_s) is None

    def load_failure(self, model: str, timeout_s: float = 60.0) -> str | None:
        """Loads a model; what the server says against it, None when it is loaded."""
        path = f"/v2/repository/models/{model}/load"
        status, body = self.request("POST", path, {}, timeout_s)
        if status == http.client.OK:
            return None
        try:
            return str(json.loads(body)["error"])
        except (ValueError, KeyError, TypeError):
            return f"status {status}"

    def unload(self, model: str) -> bool:
        """Begins to unload a model."""
        return (
            self.request("POST", f"/v2/repository/models/{model}/unload", {})[0] == http.client.OK
        )

    def answers(self, model: str, timeout_s: float) -> bool:
        """Whether a model's process answers a tiny request.

        An error the client caused (4xx) is an answer; a dead Python process gives a 5xx.

        Raises:
            TritonUnavailableError: The server, or the model, did not answer in time.
        """
        status, body = self.request("GET", f"/v2/models/{model}/config", timeout_s=timeout_s)
        if status != http.client.OK:
            return False
        request = tiny_request(json.loads(body))
        status, _ = self.request("POST", f"/v2/models/{model}/infer", request, timeout_s)
        return status < http.client.INTERNAL_SERVER_ERROR


def tiny_request(config: dict[str, Any]) -> dict[str, Any]:
    """Makes the smallest valid request from a model's configuration.

    Required inputs only; text is "en" (also a language code), numbers are 0.1 s of silence. A
    model that keeps state between requests gets a sequence of one.
    """
    batch = [1] if config.get("max_batch_size", 0) > 0 else []
    inputs = []
    for tensor in config["input"]:
        if tensor.get("optional"):
            continue
        text = tensor["data_type"] == "TYPE_STRING"
        # JSON gives 64-bit numbers as strings.
        dims = [int(size) for size in tensor["dims"]]
        shape = batch + [size if size > 0 else (1 if text else _SAMPLES) for size in dims]
        count = 1
        for size in shape:
            count *= size
        kind = _WIRE_TYPES.get(tensor["data_type"], tensor["data_type"].removeprefix("TYPE_"))
        data: list[object] = ["en" if text else 0] * count
        inputs.append({"name": tensor["name"], "shape": shape, "datatype": kind, "data": data})
    if "sequence_batching" not in config:
        return {"inputs": inputs}
    alone = {"sequence_id": random.getrandbits(62) | 1, "sequence_start": True}
    return {"inputs": inputs, "parameters": {**alone, "sequence_end": True}}
