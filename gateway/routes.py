"""The public paths. What is not declared here is a 404, whatever a service offers."""

from gateway.models.permissions import PLATFORM_ADMIN as PLATFORM
from gateway.models.routes import BodyBound, OwnRoute, Priority, Route, Service, Transport

_ASR_MODEL, _TTS_MODEL, _NMT_MODEL = "asr-model", "tts-model", "nmt-model"
_TRANSLITERATION_MODEL = "transliteration-model"
_GLOSSARIES, _GLOSSARY = "/api/v1/nmt/glossaries", "/api/v1/nmt/glossaries/{id}"
_CONVERSATION = "/api/v1/nlp/conversation"
_SPEAKERS, _SPEAKER = "/api/v1/asr/speakers", "/api/v1/asr/speakers/{id}"
_LEXICON, _LEXICON_ENTRY = "/api/v1/tts/lexicon", "/api/v1/tts/lexicon/{id}"
SOCKET_IO, SPEECH_SOCKET_IO = "/socket.io/", "/socket.io/tts/"
"""Recognition, and synthesis; sessions of the first whose query names a voice are of the second."""

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
    Route(
        "GET",
        "/api/v1/pipeline/stream",
        Service.ASR,
        "asr:infer",  # And those of translation and synthesis.
        cost=3,
        priority=Priority.LIVE,
        model_flag=_ASR_MODEL,
        transport=Transport.WEBSOCKET,
    ),
    *(
        Route(
            method,
            SOCKET_IO,
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
        "GET",
        "/api/v1/tts/stream",
        Service.TTS,
        "tts:infer",
        priority=Priority.LIVE,
        model_flag=_TTS_MODEL,
        transport=Transport.WEBSOCKET,
    ),
    *(
        Route(
            method,
            SPEECH_SOCKET_IO,
            Service.TTS,
            "tts:infer",
            BodyBound.SMALL if method == "POST" else BodyBound.NONE,
            priority=Priority.LIVE,
            model_flag=_TTS_MODEL,
            transport=Transport.SOCKET_IO,
        )
        for method in ("GET", "POST")
    ),
    *(
        Route(
            "POST",
            path,
            Service.TTS,
            "tts:infer",
            BodyBound.SMALL,
            model_flag=_TTS_MODEL,
            slow=slow,
        )
        for path, slow in (
            ("/api/v1/tts/inference", False),
            ("/api/v1/tts/stream", True),
            ("/services/inference/tts", False),
            ("/v1/audio/speech", True),
            ("/api/v1/speak", True),
            ("/speak", True),
        )
    ),
    Route("GET", "/api/v1/tts/requests/{id}", Service.TTS, "tts:read", idempotent=True),
    Route("GET", "/api/v1/tts/voices", Service.TTS, "tts:infer", idempotent=True),
    Route("GET", _LEXICON, Service.TTS, "tts:read", idempotent=True),
    Route("POST", _LEXICON, Service.TTS, "organization:write", BodyBound.SMALL),
    Route("GET", _LEXICON_ENTRY, Service.TTS, "tts:read", idempotent=True),
    Route("PUT", _LEXICON_ENTRY, Service.TTS, "organization:write", BodyBound.SMALL),
    Route("DELETE", _LEXICON_ENTRY, Service.TTS, "organization:write"),
    *(
        Route("POST", path, Service.NLP, "nlp:infer", BodyBound.SMALL, model_flag=flag)
        for path, flag in (
            ("/api/v1/nmt/inference", _NMT_MODEL),
            ("/services/inference/translation", _NMT_MODEL),
            ("/api/v1/nlp/transliteration/inference", _TRANSLITERATION_MODEL),
            ("/services/inference/transliteration", _TRANSLITERATION_MODEL),
            ("/services/inference/txt-lang-detection", None),
        )
    ),
    Route("GET", _GLOSSARIES, Service.NLP, "nlp:read", idempotent=True),
    Route("POST", _GLOSSARIES, Service.NLP, "organization:write", BodyBound.SMALL),
    Route("GET", _GLOSSARY, Service.NLP, "nlp:read", idempotent=True),
    Route("PUT", _GLOSSARY, Service.NLP, "organization:write", BodyBound.SMALL, idempotent=True),
    Route("PATCH", _GLOSSARY, Service.NLP, "organization:write", BodyBound.SMALL),
    Route("DELETE", _GLOSSARY, Service.NLP, "organization:write"),
    Route("GET", "/api/v1/nmt/requests/{id}", Service.NLP, "nlp:read", idempotent=True),
    Route("GET", "/api/v1/nmt/languages", Service.NLP, "nlp:infer", idempotent=True),
    Route(
        "GET", "/api/v1/nlp/transliteration/languages", Service.NLP, "nlp:infer", idempotent=True
    ),
    *(
        Route("POST", path, Service.NLP, "nlp:infer", BodyBound.SMALL)
        for path in (
            "/api/v1/nlp/sentiment/inference",
            "/api/v1/nlp/ner/inference",
            "/services/inference/ner",
            "/api/v1/nlp/pii/inference",
            "/api/v1/nlp/keywords/inference",
            "/api/v1/nlp/summary/inference",
            "/api/v1/nlp/itn/inference",
            "/api/v1/nlp/punctuation/inference",
        )
    ),
    Route(
        "POST",
        "/api/v1/nlp/language-detection/inference",
        Service.NLP,
        "nlp:infer",
        BodyBound.SMALL,
    ),
    Route("GET", "/api/v1/nlp/requests/{id}", Service.NLP, "nlp:read", idempotent=True),
    Route("POST", f"{_CONVERSATION}/inference", Service.NLP, "nlp:infer", BodyBound.SMALL),
    Route("GET", f"{_CONVERSATION}/rules", Service.NLP, "nlp:read", idempotent=True),
    Route(
        "PUT",
        f"{_CONVERSATION}/rules",
        Service.NLP,
        "organization:write",
        BodyBound.SMALL,
        idempotent=True,
    ),
    Route("GET", f"{_CONVERSATION}/rules/{{version}}", Service.NLP, "nlp:read", idempotent=True),
    Route("GET", f"{_CONVERSATION}/{{id}}", Service.NLP, "nlp:read", idempotent=True),
    Route(
        "POST",
        f"{_CONVERSATION}/{{id}}/replay",
        Service.NLP,
        "nlp:read",
        BodyBound.SMALL,
        idempotent=True,
    ),
)

_AUTH, _ADMIN, _FLAGS = "/api/v1/auth", "/api/v1/admin", "/api/v1/feature-flags"
_CALLS = "/api/v1/calls"

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
    # What they need besides depends on their tasks: the handler asks.
    OwnRoute("POST", "/api/v1/pipeline/inference", "", BodyBound.AUDIO, composed=True),
    OwnRoute("POST", "/services/inference/pipeline", "", BodyBound.AUDIO, composed=True),
    *(
        OwnRoute("POST", path, "calls:write", BodyBound.RECORDING, composed=True)
        for path in (f"{_CALLS}/transcribe", "/transcribe")
    ),
    OwnRoute("GET", _CALLS, "calls:read"),
    OwnRoute("GET", f"{_CALLS}/{{id}}", "calls:read", composed=True),
    OwnRoute("DELETE", f"{_CALLS}/{{id}}", "calls:write", composed=True),
    *(
        OwnRoute("POST", path, "calls:read", composed=True)
        for path in (f"{_CALLS}/{{id}}/replay", "/replay")
    ),
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

OPERATORS = frozenset({"/health/detailed", "/metrics"})
"""Those of them that say much: with an admin port, only that one answers them."""

ASSETS = "/docs/assets/{file}"
"""Files of the documentation pages."""


def public_route(method: str, template: str) -> Route:
    """A declared route, for requests that take it as one of their steps."""
    return next(one for one in ROUTES if (one.method, one.template) == (method, template))
