"""Which model recognizes a request: the one it names, or the one its language is routed to."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from services.asr.exceptions import unserved_language, unsupported_boost
from services.asr.inference.asr_model import AsrModel
from shared.caller import Caller
from shared.problem import SpeechgateError
from shared.serving import DEFAULT_SERVICE, ModelSelector, Served


@dataclass(frozen=True, slots=True)
class ModelRouter:
    """Chooses models.

    Attributes:
        selector: Chooses by name, and by the gateway's choice.
        asr: Says which languages a model serves.
        models: Triton model by serviceId.
        routes: serviceId by language, for requests that name no model.
    """

    selector: ModelSelector
    asr: AsrModel
    models: Mapping[str, str]
    routes: Mapping[str, str]

    async def select(self, service_id: str | None, tag: str, caller: Caller) -> Served:
        """What serves a request.

        The gateway's choice goes before the route where it serves the language: it is a trial of
        a model, which must not take languages away.

        Raises:
            SpeechgateError: The named model does not exist here, or the sender may not use it.
        """
        named = service_id is not None and service_id != DEFAULT_SERVICE
        routed = None if named else lookup(tag, self.routes)
        if routed is None:
            return await self.selector.select(service_id, caller)
        if caller.preferred_model is not None:
            served = await self.selector.select(None, caller)
            if served.used == "variant" and await self._serves(served.model, tag):
                return served
        chosen = await self.selector.select(self.routes[routed], caller)
        return Served(chosen.model, "default")

    async def language(self, model: str, tag: str) -> str:
        """The model's name of a language; `en-IN` is served by `en` (RFC 4647, lookup).

        Raises:
            InvalidField: The model does not serve it; says what is served, by which serviceId.
            Unavailable: Triton does not answer.
        """
        found = lookup(tag, await self.asr.languages(model))
        if found is None:
            raise unserved_language(await self.served())
        return found

    async def check_boost(self, model: str) -> None:
        """Refuse phrases to prefer where the model knows of none.

        Raises:
            InvalidField: `unsupported_boost`.
            Unavailable: Triton does not answer.
        """
        if not await self.asr.takes_boost(model):
            raise unsupported_boost()

    async def served(self) -> dict[str, list[str]]:
        """Languages by serviceId; without the models that are not loaded.

        Raises:
            Unavailable: None is, or Triton does not answer.
        """
        names = list(self.models)
        found = await asyncio.gather(
            *(self.asr.languages(self.models[name]) for name in names), return_exceptions=True
        )
        loaded = {
            name: one
            for name, one in zip(names, found, strict=True)
            if not isinstance(one, BaseException)
        }
        failures = [one for one in found if isinstance(one, BaseException)]
        unexpected = [one for one in failures if not isinstance(one, SpeechgateError)]
        if unexpected or not loaded:
            raise (unexpected or failures)[0]
        return loaded

    async def _serves(self, model: str, tag: str) -> bool:
        try:
            return lookup(tag, await self.asr.languages(model)) is not None
        except SpeechgateError:
            return False


def lookup(tag: str, served: "Mapping[str, str] | list[str]") -> str | None:
    """The entry that serves a language tag, of region or script too; None without one."""
    wanted = tag.replace("_", "-").lower()
    for candidate in (wanted, wanted.partition("-")[0]):
        if candidate in served:
            return candidate
    return None
