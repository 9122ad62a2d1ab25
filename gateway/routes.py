"""The public paths. What is not declared here is a 404, whatever a service offers."""

import re
from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

from gateway.models.permissions import PERMISSIONS
from gateway.models.permissions import PLATFORM_ADMIN as PLATFORM
from gateway.models.routes import BodyBound, OwnRoute, Priority, Route, Service, Transport

_ASR_MODEL, _TTS_MODEL, _NMT_MODEL = "asr-model", "tts-model", "nmt-model"
_SPEAKERS, _SPEAKER = "/api/v1/asr/speakers", "/api/v1/asr/speakers/{id}"

ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        "/api/v1/asr/inference",
        Service.ASR,
        "asr:infer",
        BodyBound.AUDIO,
        model_flag=_ASR_MODEL,
        slow=True,
    ),
    Route(
        "POST",
        "/api/v1/asr/transcribe",
        Service.ASR,
        "asr:infer",
        BodyBound.RECORDING,
        model_flag=_ASR_MODEL,
        slow=True,
    ),
    Route("POST", "/api/v1/asr/vad", Service.ASR, "asr:infer", BodyBound.AUDIO),
    *(
        Route("POST", path, Service.ASR, "asr:infer", bound, model_flag=_ASR_MODEL, slow=True)
        for path, bound in (
            ("/services/inference/asr", BodyBound.AUDIO),
            ("/v1/audio/transcriptions", BodyBound.RECORDING),
            ("/v1/audio/translations", BodyBound.RECORDING),
        )
    ),
    Route("POST", "/services/inference/vad", Service.ASR, "asr:infer", BodyBound.AUDIO),
    Route("GET", "/v1/models", Service.ASR, "asr:infer", idempotent=True),
    Route("GET", "/v1/models/{id}", Service.ASR, "asr:infer", idempotent=True),
    *(
        Route("POST", path, Service.ASR, "asr:infer", BodyBound.AUDIO, slow=True)
        for path in ("/api/v1/asr/diarization/inference", "/services/inference/diarization")
    ),
    Route("GET", _SPEAKERS, Service.ASR, "speakers:read", idempotent=True),
    Route("POST", _SPEAKERS, Service.ASR, "speakers:write", BodyBound.AUDIO, slow=True),
    Route(
        "POST", f"{_SPEAKERS}/identify", Service.ASR, "speakers:read", BodyBound.AUDIO, slow=True
    ),
    Route("GET", _SPEAKER, Service.ASR, "speakers:read", idempotent=True),
    Route("PATCH", _SPEAKER, Service.ASR, "speakers:write", BodyBound.SMALL),
    Route("DELETE", _SPEAKER, Service.ASR, "speakers:write"),
    Route(
        "POST",
        f"{_SPEAKER}/prototypes",
        Service.ASR,
        "speakers:write",
        BodyBound.AUDIO,
        slow=True,
    ),
    Route("DELETE", f"{_SPEAKER}/prototypes/{{prototype_id}}", Service.ASR, "speakers:write"),
    Route("POST", f"{_SPEAKER}/merge", Service.ASR, "speakers:write", BodyBound.SMALL),
    Route("POST", f"{_SPEAKER}/split", Service.ASR, "speakers:write", BodyBound.SMALL),
    Route("GET", "/api/v1/asr/requests/{id}", Service.ASR, "asr:read", idempotent=True),
    Route("GET", "/api/v1/asr/languages", Service.ASR, "asr:infer", idempotent=True),
    Route(
        "GET",
        "/api/v1/asr/stream",
        Service.ASR,
        "asr:infer",
        priority=Priority.LIVE,
        model_flag=_ASR_MODEL,
        transport=Transport.WEBSOCKET,
    ),
    Route(
        "GET",
        "/ws/audio",
        Service.ASR,
        "asr:infer",
        priority=Priority.LIVE,
        model_flag=_ASR_MODEL,
        transport=Transport.WEBSOCKET,
    ),
    *(
        Route(
            method,
            "/socket.io/",
            Service.ASR,
            "asr:infer",
            BodyBound.AUDIO if method == "POST" else BodyBound.NONE,
            priority=Priority.LIVE,
            model_flag=_ASR_MODEL,
            transport=Transport.SOCKET_IO,
        )
        for method in ("GET", "POST")
    ),
    Route(
        "POST",
        "/api/v1/tts/inference",
        Service.TTS,
        "tts:infer",
        BodyBound.SMALL,
        model_flag=_TTS_MODEL,
    ),
    Route("GET", "/api/v1/tts/requests/{id}", Service.TTS, "tts:read", idempotent=True),
    Route("GET", "/api/v1/tts/voices", Service.TTS, "tts:infer", idempotent=True),
    Route(
        "POST",
        "/api/v1/nmt/inference",
        Service.NLP,
        "nlp:infer",
        BodyBound.SMALL,
        model_flag=_NMT_MODEL,
    ),
    Route("GET", "/api/v1/nmt/requests/{id}", Service.NLP, "nlp:read", idempotent=True),
    Route("GET", "/api/v1/nmt/languages", Service.NLP, "nlp:infer", idempotent=True),
    Route("POST", "/api/v1/nlp/sentiment/inference", Service.NLP, "nlp:infer", BodyBound.SMALL),
    Route(
        "POST",
        "/api/v1/nlp/language-detection/inference",
        Service.NLP,
        "nlp:infer",
        BodyBound.SMALL,
    ),
    Route("GET", "/api/v1/nlp/requests/{id}", Service.NLP, "nlp:read", idempotent=True),
)

_AUTH, _ADMIN, _FLAGS = "/api/v1/auth", "/api/v1/admin", "/api/v1/feature-flags"

OWN_ROUTES: tuple[OwnRoute, ...] = (
    OwnRoute("POST", f"{_AUTH}/login", None),
    OwnRoute("POST", f"{_AUTH}/refresh", None),
    OwnRoute("POST", f"{_AUTH}/logout", ""),
    OwnRoute("GET", f"{_AUTH}/me", ""),
    OwnRoute("POST", f"{_AUTH}/password", ""),
    OwnRoute("GET", f"{_AUTH}/sessions", ""),
    OwnRoute("DELETE", f"{_AUTH}/sessions/{{id}}", ""),
    OwnRoute("POST", f"{_AUTH}/tickets", ""),
    OwnRoute("GET", f"{_ADMIN}/organizations", PLATFORM),
    OwnRoute("POST", f"{_ADMIN}/organizations", PLATFORM),
    OwnRoute("GET", f"{_ADMIN}/organizations/{{id}}", "organization:read"),
    OwnRoute("PATCH", f"{_ADMIN}/organizations/{{id}}", "organization:write"),
    OwnRoute("GET", f"{_ADMIN}/plans", "organization:read"),
    OwnRoute("POST", f"{_ADMIN}/plans", PLATFORM),
    OwnRoute("PATCH", f"{_ADMIN}/plans/{{id}}", PLATFORM),
    OwnRoute("DELETE", f"{_ADMIN}/plans/{{id}}", PLATFORM),
    OwnRoute("GET", f"{_ADMIN}/roles", "users:read"),
    OwnRoute("GET", f"{_ADMIN}/users", "users:read"),
    OwnRoute("POST", f"{_ADMIN}/users", "users:write"),
    OwnRoute("GET", f"{_ADMIN}/users/{{id}}", "users:read"),
    OwnRoute("PATCH", f"{_ADMIN}/users/{{id}}", "users:write"),
    OwnRoute("DELETE", f"{_ADMIN}/users/{{id}}", "users:write"),
    # `keys:own` is enough for one's own keys: the service decides.
    OwnRoute("GET", f"{_ADMIN}/keys", ""),
    OwnRoute("POST", f"{_ADMIN}/keys", ""),
    OwnRoute("GET", f"{_ADMIN}/keys/{{id}}", ""),
    OwnRoute("PATCH", f"{_ADMIN}/keys/{{id}}", ""),
    OwnRoute("DELETE", f"{_ADMIN}/keys/{{id}}", ""),
    OwnRoute("POST", f"{_ADMIN}/keys/{{id}}/rotate", ""),
    OwnRoute("POST", f"{_FLAGS}/evaluate", "flags:evaluate"),
    OwnRoute("POST", f"{_FLAGS}/evaluate/boolean", "flags:evaluate"),
    OwnRoute("POST", f"{_FLAGS}/evaluate/bulk", "flags:evaluate"),
    OwnRoute("POST", f"{_FLAGS}/sync", "flags:write"),
    OwnRoute("GET", _FLAGS, "flags:read"),
    OwnRoute("GET", f"{_FLAGS}/{{name}}", "flags:read"),
)

INFRASTRUCTURE = frozenset(
    {"/health", "/health/detailed", "/ready", "/metrics", "/docs", "/redoc", "/openapi.json"}
)
"""Paths that the gateway answers itself, without a key."""

ASSETS = "/docs/assets/{file}"
"""Files of the documentation pages."""

_SEGMENT = "[0-9A-Za-z._-]{1,128}"
_VARIABLE = re.compile(r"\{[a-z_]+\}")
AnyRoute = TypeVar("AnyRoute", Route, OwnRoute)


class RouteTable(Generic[AnyRoute]):
    """Finds the routes of a raw path.

    Attributes:
        fixed: Routes without a variable segment, by path and method.

    Raises:
        ValueError: A route is declared twice, or with a permission that does not exist; the
            gateway does not start.
    """

    def __init__(self, routes: Sequence[AnyRoute]) -> None:
        self.fixed: dict[str, dict[str, AnyRoute]] = {}
        self._templates: dict[str, dict[str, AnyRoute]] = {}
        for route in routes:
            needed = route.scope if isinstance(route, Route) else route.permission
            if needed and needed not in PERMISSIONS:
                raise ValueError(f"no such permission: {needed}")
            if isinstance(route, Route) and not needed:
                raise ValueError(f"route without scope: {route.template}")
            group = self._templates if "{" in route.template else self.fixed
            methods = group.setdefault(route.template, {})
            if route.method in methods:
                raise ValueError(f"route declared twice: {route.method} {route.template}")
            methods[route.method] = route
        self._patterns: list[tuple[re.Pattern[str], dict[str, AnyRoute]]] = [
            (re.compile(_VARIABLE.sub(_SEGMENT, template)), methods)
            for template, methods in self._templates.items()
        ]

    def find(self, path: str) -> Mapping[str, AnyRoute] | None:
        """The routes of a path by method."""
        methods = self.fixed.get(path)
        if methods is not None:
            return methods
        for pattern, templated in self._patterns:
            if pattern.fullmatch(path):
                return templated
        return None
