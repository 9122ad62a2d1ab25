"""Messages of a WebSocket, for the streams of every service."""

import asyncio
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from shared.jsonbody import parse_json_object
from shared.problem import BadRequest
from shared.streams import INVALID_DATA, StreamRefused, no_start, not_started

_NO_STATUS = 1005


async def next_message(websocket: WebSocket) -> bytes | dict[str, Any]:
    """The client's next message: bytes, or a JSON object.

    Raises:
        WebSocketDisconnect: There is none.
        StreamRefused: `invalid_json`.
    """
    message = await websocket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", _NO_STATUS))
    data = message.get("bytes")
    if data is not None:
        return bytes(data)
    try:
        return parse_json_object(message["text"].encode())
    except BadRequest as error:
        raise StreamRefused(error.detail, "invalid_json", INVALID_DATA) from error


async def start_message(websocket: WebSocket, longest_s: float) -> dict[str, Any]:
    """The client's first message.

    Raises:
        WebSocketDisconnect: There is none.
        StreamRefused: `start_timeout`, `not_started`, `invalid_json`.
    """
    try:
        async with asyncio.timeout(longest_s):
            message = await next_message(websocket)
    except TimeoutError:
        raise no_start() from None
    if isinstance(message, bytes) or message.get("type") != "start":
        raise not_started()
    return message
