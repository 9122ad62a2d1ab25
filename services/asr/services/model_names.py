"""What models are called in the OpenAI dialect."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.asr.exceptions import no_such_openai_model, unknown_model
from shared.caller import Caller
from shared.serving import DEFAULT_SERVICE, split_reference


@dataclass(frozen=True, slots=True)
class ModelNames:
    """Names and what they stand for.

    Attributes:
        models: Triton model by serviceId; each serviceId is a name.
        aliases: serviceId by further names, those of OpenAI's own models.
        default_language: Of requests that name no language.
    """

    models: Mapping[str, str]
    aliases: Mapping[str, str]
    default_language: str

    def service_id(self, name: str) -> str | None:
        """The serviceId of a name; None for the default, which the gateway may choose.

        Raises:
            InvalidField: Code `unknown_model`.
        """
        found = self.aliases.get(name, name)
        if found == DEFAULT_SERVICE:
            return None
        if found not in self.models:
            raise unknown_model([*self.models, *self.aliases])
        return found

    def known(self, caller: Caller) -> list[str]:
        """The names of what the sender may use."""
        names = [*self.models, *(name for name in self.aliases if name not in self.models)]
        return [name for name in names if self._may(name, caller)]

    def check(self, name: str, caller: Caller) -> str:
        """The name itself.

        Raises:
            NotFound: It is none, or of a model that the sender may not use.
        """
        if name not in self.known(caller):
            raise no_such_openai_model()
        return name

    def _may(self, name: str, caller: Caller) -> bool:
        model = self.models.get(self.aliases.get(name, name))
        if model is None:
            return False
        return caller.models is None or split_reference(model)[0] in caller.models
