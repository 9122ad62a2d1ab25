"""Permissions and roles. A permission is also a scope of an API key: `area:verb`.

`*` grants everything inside the caller's own organization. What reaches across organizations
needs `platform:admin`, which `*` does not contain.
"""

from collections.abc import Mapping
from typing import Final

ANY: Final = "*"
PLATFORM_ADMIN: Final = "platform:admin"

PERMISSIONS: Mapping[str, str] = {
    "asr:infer": "Recognize speech",
    "asr:read": "Read stored recognitions",
    "speakers:read": "See known speakers and recognize them",
    "speakers:write": "Manage known speakers",
    "tts:infer": "Synthesize speech",
    "tts:read": "Read stored syntheses",
    "nlp:infer": "Translate and analyze text",
    "nlp:read": "Read stored translations and analyses",
    "calls:read": "Read recorded calls and hear their coachable moments",
    "calls:write": "Analyze recorded calls and delete them",
    "keys:own": "Manage one's own API keys",
    "keys:read": "See the organization's API keys",
    "keys:write": "Manage the organization's API keys",
    "users:read": "See the organization's users",
    "users:write": "Manage the organization's users",
    "organization:read": "See the organization and its plan",
    "organization:write": "Rename the organization; change its lexicon, glossaries and rules",
    "flags:read": "See feature flags",
    "flags:evaluate": "Evaluate feature flags",
    "flags:write": "Synchronize feature flags",
    ANY: "Everything inside the organization",
    PLATFORM_ADMIN: "Everything in every organization",
}

_INFERENCE = (
    "asr:infer",
    "asr:read",
    "tts:infer",
    "tts:read",
    "nlp:infer",
    "nlp:read",
    "calls:read",
    "calls:write",
)

ROLES: Mapping[str, tuple[str, ...]] = {
    "admin": (ANY, PLATFORM_ADMIN),
    "organization_admin": (
        *_INFERENCE,
        "speakers:read",
        "speakers:write",
        "keys:own",
        "keys:read",
        "keys:write",
        "users:read",
        "users:write",
        "organization:read",
        "organization:write",
        "flags:read",
        "flags:evaluate",
    ),
    "user": (*_INFERENCE, "speakers:read", "speakers:write", "keys:own", "organization:read"),
    "api_client": (*_INFERENCE, "speakers:read"),
}


def grants(granted: frozenset[str], wanted: str) -> bool:
    """Whether a set of permissions contains one."""
    if wanted in granted:
        return True
    return ANY in granted and wanted != PLATFORM_ADMIN
