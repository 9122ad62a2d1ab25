"""What models and voices are called in the OpenAI dialect."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.tts.models.voices import GENDERS
from shared.serving import DEFAULT_SERVICE
from shared.text.problems import UnknownModel


@dataclass(frozen=True, slots=True)
class OpenAiNames:
    """Names and what they stand for.

    Attributes:
        models: Triton model by serviceId; each serviceId is a name.
        aliases: serviceId by further names, those of OpenAI's own models.
        voices: Gender, or voice of the model's own, by OpenAI's names.
    """

    models: Mapping[str, str]
    aliases: Mapping[str, str]
    voices: Mapping[str, str]

    def service_id(self, name: str) -> str | None:
        """The serviceId of a name; None for the default, which the gateway may choose.

        Raises:
            UnknownModel: It is none.
        """
        found = self.aliases.get(name, name)
        if found == DEFAULT_SERVICE:
            return None
        if found not in self.models:
            raise UnknownModel([*self.models, *self.aliases])
        return found

    def voice(self, name: str) -> tuple[str, str | None]:
        """Gender and name of a voice; the name is None where the gender says it all."""
        found = self.voices.get(name, name)
        return (found, None) if found in GENDERS else ("female", found)
