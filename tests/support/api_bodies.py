"""Requests that are served, by path: what a fuzzer grafts one odd member into."""

from collections.abc import Iterable, Mapping
from typing import Any

_PAIR = {"sourceLanguage": "en", "targetLanguage": "es"}
_ENGLISH = {"sourceLanguage": "en"}
_TEXT = [{"source": "Good morning, Ann. The price is 20 dollars."}]
_TALK = [
    {"speaker": "a", "start": 0.0, "end": 4.0, "text": "Hello, what would you like to know?"},
    {"speaker": "b", "start": 4.5, "end": 9.0, "text": "The price is too high for us."},
]
_NLP, _ULCA, _ADMIN = "/api/v1/nlp", "/services/inference", "/api/v1/admin"
_FLAGS, _CALLS = "/api/v1/feature-flags", "/api/v1/calls"
WINDOWS = ("per_minute", "per_hour", "per_day")
PASSWORD = "a long and unguessable phrase 7"  # noqa: S105 - of users that the test makes

MOST = 10**9
UNLIMITED = (
    *("--name", "fuzz", "--tenant", "fuzzed", "--scope", "*", "--scope", "platform:admin"),
    *("--per-minute", str(MOST), "--per-hour", str(MOST), "--per-day", str(MOST)),
    *("--max-concurrent", str(MOST)),
)
"""Options of `speechgate keys create` for the key of a world."""
AUTH = "/api/v1/auth"
# Only a user has sessions; whatever ends one is followed by a new one.
USER_ROUTES = frozenset(
    {
        f"POST {AUTH}/logout",
        f"GET {AUTH}/sessions",
        f"DELETE {AUTH}/sessions/{{id}}",
        f"POST {AUTH}/password",
    }
)
MADE = {
    "/api/v1/asr/inference": "/api/v1/asr/requests/",
    "/api/v1/asr/transcribe": "/api/v1/asr/requests/",
    "/api/v1/tts/inference": "/api/v1/tts/requests/",
    "/api/v1/nmt/inference": "/api/v1/nmt/requests/",
    "/api/v1/nlp/sentiment/inference": "/api/v1/nlp/requests/",
    "/api/v1/nlp/conversation/inference": "/api/v1/nlp/conversation/",
}
"""Where what a route makes is found again; what answers 201 is found below its own path."""
COLLECTIONS = (
    "/api/v1/asr/speakers",
    "/api/v1/asr/speakers",
    "/api/v1/asr/speakers",
    "/api/v1/nmt/glossaries",
    "/api/v1/tts/lexicon",
    "/api/v1/admin/plans",
    "/api/v1/admin/organizations",
    "/api/v1/admin/keys",
    "/api/v1/admin/users",
)
# Members of bodies that are served, and differ from request to request.
CHANGING = {
    **dict.fromkeys(("/api/v1/tts/lexicon", "/api/v1/tts/lexicon/{id}"), ("phrase",)),
    **dict.fromkeys(("/api/v1/admin/plans", "/api/v1/admin/organizations"), ("name",)),
    "/api/v1/admin/users": ("email",),
    "/api/v1/asr/speakers/{id}/merge": ("from",),
    "/api/v1/asr/speakers/{id}/split": ("name", "prototypes"),
    "/api/v1/auth/refresh": ("refresh_token",),
    "/replay": ("call_id",),
}
# Members that are seldom right, and never needed.
ABSENT = frozenset(
    {"serviceId", "service_id", "tenant_id", "audioUri", "audio_uri", "environment", "expires_at"}
)
MEANT: dict[str, Any] = {
    "source": "Good morning, Ann.",
    "text": "The price is too high.",
    "sourceLanguage": "en",
    "targetLanguage": "es",
    "model": "whisper-1",
    "voice": "alloy",
    "audioFormat": "wav",
    "audio_format": "wav",
    "samplingRate": 16_000,
    "sampling_rate": 16_000,
    "consent": "true",
    "password": PASSWORD,
    "current_password": PASSWORD,
    "new_password": f"{PASSWORD} and another",
    "scopes": ["asr:infer", "nlp:infer"],
    "roles": ["user"],
    "models": None,
    "flag_name": "asr-model",
    "version": "1",
    "moment": 0,
    "taskType": "translation",
}


def _texts(language: Mapping[str, str]) -> dict[str, Any]:
    return {"input": _TEXT, "config": {"language": language}}


def _same(paths: Iterable[str], body: Any) -> dict[str, Any]:
    return dict.fromkeys(paths, body)


def _of_texts() -> dict[str, Any]:
    english = (
        *(f"{_NLP}/{task}/inference" for task in ("sentiment", "ner", "pii", "keywords")),
        *(f"{_NLP}/{task}/inference" for task in ("summary", "itn", "punctuation")),
        *("/api/v1/tts/inference", f"{_ULCA}/tts", f"{_ULCA}/ner", "/api/v1/tts/stream"),
    )
    paired = ("/api/v1/nmt/inference", f"{_ULCA}/translation")
    written = (f"{_NLP}/transliteration/inference", f"{_ULCA}/transliteration")
    detected = (f"{_NLP}/language-detection/inference", f"{_ULCA}/txt-lang-detection")
    return {
        **_same(english, _texts(_ENGLISH)),
        **_same(paired, _texts(_PAIR)),
        **_same(written, _texts({"sourceLanguage": "en", "targetLanguage": "hi"})),
        **_same(detected, {"input": _TEXT}),
        **_same(("/speak", "/api/v1/speak"), {"text": "Good morning.", "language": "en"}),
        "/v1/audio/speech": {"model": "tts-1", "input": "Good morning.", "voice": "alloy"},
        f"{_NLP}/conversation/inference": {"segments": _TALK, "language": "en"},
        f"{_NLP}/conversation/{{id}}/replay": {"rules": {}},
    }


def _of_pipelines() -> dict[str, Any]:
    tasks = [{"taskType": "translation", "config": {"language": _PAIR}}]
    pipeline = {"pipelineTasks": tasks, "inputData": {"input": _TEXT}}
    return _same(("/api/v1/pipeline/inference", f"{_ULCA}/pipeline"), pipeline)


def _of_audio(sound: bytes, voice: bytes, encoded: str) -> dict[str, Any]:
    audio = [{"audioContent": encoded}]
    recognized = {"audio": audio, "config": {"language": _ENGLISH}}
    found = {"audio": audio, "config": {}}
    speakers = "/api/v1/asr/speakers"
    return {
        **_same(("/api/v1/asr/inference", f"{_ULCA}/asr"), recognized),
        **_same(("/api/v1/asr/vad", f"{_ULCA}/vad"), found),
        **_same(("/api/v1/asr/diarization/inference", f"{_ULCA}/diarization"), found),
        **_same(("/transcribe", f"{_CALLS}/transcribe"), {"file": sound}),
        **_same(
            ("/v1/audio/transcriptions", "/v1/audio/translations"),
            {"file": sound, "model": "whisper-1"},
        ),
        "/api/v1/asr/transcribe": {"file": sound, "language": "en"},
        speakers: {"file": voice, "name": "Ann", "consent": "true"},
        f"{speakers}/identify": {"file": voice},
        f"{speakers}/{{id}}": {"name": "Bea"},
        f"{speakers}/{{id}}/prototypes": {"file": voice},
    }


def _of_accounts() -> dict[str, Any]:
    return {
        f"{_ADMIN}/keys": {"name": "key", "scopes": ["asr:infer"]},
        f"{_ADMIN}/keys/{{id}}": {"name": "renamed"},
        f"{_ADMIN}/keys/{{id}}/rotate": {"overlap_s": 60},
        f"{_ADMIN}/users": {"name": "Ann", "password": PASSWORD, "roles": ["user"]},
        f"{_ADMIN}/users/{{id}}": {"name": "Bea"},
        f"{_ADMIN}/plans": {"per_minute": 5},
        f"{_ADMIN}/plans/{{id}}": {"per_hour": 50},
        f"{_ADMIN}/organizations": {},
        f"{_ADMIN}/organizations/{{id}}": {"suspended": False},
        f"{_FLAGS}/evaluate": {"flag_name": "asr-model", "default_value": "default"},
        f"{_FLAGS}/evaluate/boolean": {"flag_name": "asr-model"},
        f"{_FLAGS}/evaluate/bulk": {"flag_names": ["asr-model", "tts-model"]},
        "/api/v1/auth/password": {
            "current_password": PASSWORD,
            "new_password": f"{PASSWORD} and another",
        },
        f"{_CALLS}/{{id}}/replay": {"moment": 0},
        "/api/v1/tts/lexicon": {"alias": "sequel", "language": "en"},
        "/api/v1/tts/lexicon/{id}": {"alias": "sequel", "language": "en"},
        "/api/v1/nmt/glossaries": {**_PAIR, "terms": {"gateway": "pasarela"}},
        "/api/v1/nmt/glossaries/{id}": {"terms": {"gateway": "puerta"}},
    }


def served_bodies(sound: bytes, voice: bytes, encoded: str) -> dict[str, Any]:
    """Bodies by path; members that differ from request to request are missing.

    Args:
        sound: A short file of speech.
        voice: One that is long enough to know a voice by.
        encoded: `sound` in base64.
    """
    return {**_of_texts(), **_of_pipelines(), **_of_audio(sound, voice, encoded), **_of_accounts()}
