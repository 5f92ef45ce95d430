"""What a job carries; apart from the queue, which only the worker needs."""

from uuid import UUID

import msgspec


class HandlerJob(msgspec.Struct, frozen=True, kw_only=True):
    """What a job says: run the handler it is queued for on this fact. Keys it does not know are passed over.

    request_id: of the request that led to the fact; it goes on every line of the log.
    """

    tenant_id: UUID
    fact_id: UUID
    kind: str
    version: int
    request_id: str
