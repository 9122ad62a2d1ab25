"""The public paths. What is not declared here is a 404, whatever a service offers."""

import re
from collections.abc import Mapping, Sequence

from gateway.models.routes import BodyBound, Route, Service

ROUTES: tuple[Route, ...] = (
    Route("POST", "/api/v1/asr/inference", Service.ASR, "asr:infer", BodyBound.AUDIO),
    Route("POST", "/api/v1/asr/transcribe", Service.ASR, "asr:infer", BodyBound.AUDIO),
    Route("GET", "/api/v1/asr/requests/{id}", Service.ASR, "asr:read"),
    Route("GET", "/api/v1/asr/languages", Service.ASR, "asr:infer"),
    Route("POST", "/api/v1/tts/inference", Service.TTS, "tts:infer", BodyBound.SMALL),
    Route("GET", "/api/v1/tts/requests/{id}", Service.TTS, "tts:read"),
    Route("GET", "/api/v1/tts/voices", Service.TTS, "tts:infer"),
    Route("POST", "/api/v1/nmt/inference", Service.NLP, "nlp:infer", BodyBound.SMALL),
    Route("GET", "/api/v1/nmt/requests/{id}", Service.NLP, "nlp:read"),
    Route("GET", "/api/v1/nmt/languages", Service.NLP, "nlp:infer"),
    Route("POST", "/api/v1/nlp/sentiment/inference", Service.NLP, "nlp:infer", BodyBound.SMALL),
    Route(
        "POST",
        "/api/v1/nlp/language-detection/inference",
        Service.NLP,
        "nlp:infer",
        BodyBound.SMALL,
    ),
    Route("GET", "/api/v1/nlp/requests/{id}", Service.NLP, "nlp:read"),
)

INFRASTRUCTURE = frozenset(
    {"/health", "/health/detailed", "/ready", "/metrics", "/docs", "/redoc", "/openapi.json"}
)
"""Paths that the gateway answers itself, without a key."""

ASSETS = "/docs/assets/{file}"
"""Files of the documentation pages."""

_SEGMENT = "[0-9A-Za-z._-]{1,128}"
_VARIABLE = re.compile(r"\{[a-z_]+\}")


class RouteTable:
    """Finds the routes of a raw path.

    Raises:
        ValueError: A route is declared twice or without a scope; the gateway does not start.
    """

    def __init__(self, routes: Sequence[Route] = ROUTES) -> None:
        self._fixed: dict[str, dict[str, Route]] = {}
        self._templates: dict[str, dict[str, Route]] = {}
        for route in routes:
            if not route.scope or not route.template.startswith("/api/"):
                raise ValueError(f"route without scope or outside /api: {route.template}")
            group = self._templates if "{" in route.template else self._fixed
            methods = group.setdefault(route.template, {})
            if route.method in methods:
                raise ValueError(f"route declared twice: {route.method} {route.template}")
            methods[route.method] = route
        self._patterns = [
            (re.compile(_VARIABLE.sub(_SEGMENT, template)), methods)
            for template, methods in self._templates.items()
        ]

    def find(self, path: str) -> Mapping[str, Route] | None:
        """The routes of a path by method."""
        methods = self._fixed.get(path)
        if methods is not None:
            return methods
        for pattern, templated in self._patterns:
            if pattern.fullmatch(path):
                return templated
        return None
