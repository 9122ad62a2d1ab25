"""Operations of services that only the gateway itself calls; no client reaches them by its path.

They are declared like the public ones: which flag chooses their model, how long they may take, and
whether they may be asked twice.
"""

from gateway.models.routes import BodyBound, Route, Service

_CALLS, _CALL = "/api/v1/asr/calls", "/api/v1/asr/calls/{id}"
_READ, _WRITE = "calls:read", "calls:write"

CALL_FORM = Route(
    "POST", _CALLS, Service.ASR, _WRITE, BodyBound.RECORDING, model_flag="asr-model", slow=True
)
CALL_JSON = Route(
    "POST",
    f"{_CALLS}/inference",
    Service.ASR,
    _WRITE,
    BodyBound.AUDIO,
    model_flag="asr-model",
    slow=True,
)
CALL_STORED = Route("GET", _CALL, Service.ASR, _READ, idempotent=True)
CALL_ERASED = Route("DELETE", _CALL, Service.ASR, _WRITE, idempotent=True)
CALL_REPLAY = Route("POST", f"{_CALL}/replay", Service.ASR, _READ, BodyBound.AUDIO, idempotent=True)
ANALYSIS_ERASED = Route(
    "DELETE", "/api/v1/nlp/conversation/{id}", Service.NLP, _WRITE, idempotent=True
)

INNER_ROUTES: tuple[Route, ...] = (
    CALL_FORM,
    CALL_JSON,
    CALL_STORED,
    CALL_ERASED,
    CALL_REPLAY,
    ANALYSIS_ERASED,
)
