"""Deletes stored conversations."""

from services.nlp.db.tables import nlp_conversation_results, nlp_conversations
from shared.db.requests import RequestStore
from shared.lifecycle import Platform


class ErasureRepository:
    """Conversations with their words."""

    def __init__(self, platform: Platform) -> None:
        self._store = RequestStore(
            platform.engine, platform.writer, nlp_conversations, nlp_conversation_results
        )

    async def delete(self, tenant_id: str, request_id: str) -> bool:
        """Delete a tenant's conversation with its words for good; whether there was one.

        Raises:
            Unavailable: The database does not answer.
        """
        return await self._store.delete(tenant_id, request_id)
