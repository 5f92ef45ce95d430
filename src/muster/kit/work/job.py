"""What a job carries; apart from the queue, which only the worker needs."""

from uuid import UUID

import msgspec


class HandlerJob(msgspec.Struct, frozen=True, kw_only=True):
    """What a job says: run the handler it is queued for on this fact. Keys it does not know are passed over.

    request_id: of the request that led to the fact; it goes on every line of the log. trace: the step that led to the
    job, as a `traceparent`; None where nothing was traced.
    """

    tenant_id: UUID
    fact_id: UUID
    kind: str
    version: int
    request_id: str
    trace: str | None = None
