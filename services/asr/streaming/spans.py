"""What the span of a stream tells of its events: that they were, when, and no word of them."""

from services.asr.streaming.events import Done, Event, Failed, Final, Ready
from shared.telemetry.span import MODEL, event, note


def note_event(told: Event) -> None:
    """Note what a client was told; partials are too many."""
    match told:
        case Ready():
            note(MODEL, told.model)
            event("ready")
        case Final():
            event("final", {"start_s": told.start, "end_s": told.end, "words": len(told.words)})
        case Failed():
            event("failed", {"code": told.code})
        case Done():
            event("done", {"duration_s": told.duration})
