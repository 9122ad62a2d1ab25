"""Speech that lasts as long as it should, as for a film: spoken faster or slower."""

from dataclasses import replace

from services.tts.models.script import Pause, Say, Script
from services.tts.services.narration import Narrator
from services.tts.services.parts import SPEEDS
from services.tts.services.run import Run


async def fit(narrator: Narrator, run: Run, script: Script, wanted_s: float) -> Script:
    """The script at the speed at which it lasts `wanted_s` seconds.

    Silence fills what is missing. Where no speed is fast enough, it lasts longer: no word is cut.
    Pauses keep their length.
    """
    spoken_s, silent_s = await narrator.length_s(run, script)
    fastest = SPEEDS[1]
    factor = spoken_s / (wanted_s - silent_s) if wanted_s > silent_s else fastest
    fitted = tuple(
        replace(step, speed=step.speed * min(factor, fastest)) if isinstance(step, Say) else step
        for step in script
    )
    missing_s = wanted_s - sum(await narrator.length_s(run, fitted))
    return (*fitted, Pause(missing_s)) if missing_s > 0 else fitted
