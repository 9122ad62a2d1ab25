"""What the span of a stream tells of its events: that they were, when, and no word of them."""

from services.tts.streaming.events import Audio, Done, Event, Failed, Flushed, Ready
from shared.telemetry.span import MODEL, event, note


def note_event(told: Event) -> None:
    """Note what a client was told; of the audio its end, since its parts are too many."""
    match told:
        case Ready():
            note(MODEL, told.model)
            event("ready")
        case Audio(final=True):
            event("audio complete", {"size": len(told.content)})
        case Flushed():
            event("flushed", {"characters": told.characters, "duration_s": told.duration})
        case Failed():
            event("failed", {"code": told.code})
        case Done():
            event("done", {"duration_s": told.duration})
