"""Deletes stored conversations."""

from dataclasses import dataclass

from services.nlp.repositories.erasures import ErasureRepository
from shared.caller import Caller
from shared.logging import get_logger
from shared.problem import RequestNotFound

_logger = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ErasureService:
    """Deletes for good.

    Attributes:
        repository: Where conversations are.
    """

    repository: ErasureRepository

    async def erase(self, caller: Caller, request_id: str) -> None:
        """Delete a conversation of the caller's tenant, with its words.

        Raises:
            RequestNotFound: Absent, or another tenant's.
            Unavailable: The database does not answer.
        """
        if not await self.repository.delete(caller.tenant_id, request_id):
            raise RequestNotFound
        _logger.info("stored conversation deleted", actor=caller.subject, tenant=caller.tenant_id)
