"""What may run before and after recognition."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from services.asr.exceptions import unknown_processor, unsupported_processor
from services.asr.models.transcript import Transcript

PostProcessor = Callable[[Transcript, str], Awaitable[Transcript]]
"""Rewrites a transcript, given its language."""

PRE_PROCESSORS = frozenset({"vad", "denoiser"})
SERVED_PRE_PROCESSORS = frozenset({"vad"})
POST_PROCESSORS = frozenset({"itn", "punctuation"})


def check_processors(
    pre: Sequence[str], post: Sequence[str], served: Mapping[str, PostProcessor]
) -> None:
    """Refuse what would otherwise be left out in silence.

    Raises:
        InvalidField: `unknown_processor` or `unsupported_processor`.
    """
    for names, known, running, member in (
        (pre, PRE_PROCESSORS, SERVED_PRE_PROCESSORS, "preProcessors"),
        (post, POST_PROCESSORS, frozenset(served), "postProcessors"),
    ):
        for index, name in enumerate(names):
            pointer = f"/config/{member}/{index}"
            if name not in known:
                raise unknown_processor(pointer, known)
            if name not in running:
                raise unsupported_processor(name, pointer)


async def post_process(
    transcript: Transcript,
    names: Sequence[str],
    language: str,
    served: Mapping[str, PostProcessor],
) -> Transcript:
    """Apply the named processors in order; `check_processors` has accepted them."""
    for name in names:
        transcript = await served[name](transcript, language)
    return transcript
