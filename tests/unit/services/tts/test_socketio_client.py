from types import SimpleNamespace

import pytest

from services.tts.handlers.socketio_client import Client
from shared.asgi.socketio_line import SocketIoLine
from shared.identity import Identity
from shared.streams import StreamRefused


def test_a_query_of_too_many_fields_is_refused() -> None:
    scope = {
        "headers": [],
        "query_string": b"&".join(b"a%d=1" % number for number in range(51)),
        "state": {
            "identity": Identity("key", "tenant", frozenset({"tts:infer"})),
            "context": SimpleNamespace(live=None),
        },
    }
    with pytest.raises(StreamRefused) as refused:
        Client(SocketIoLine(None, "sid"), scope)
    assert refused.value.code == "invalid_start"
