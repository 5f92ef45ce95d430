"""For how long rows are kept."""

from datetime import timedelta
from uuid import UUID

from muster.audit import queries
from muster.kit.commands.tables import AuditChain
from muster.kit.db.database import Transaction
from muster.kit.sources import SettingError
from muster.settings import Settings
from muster.tenancy.tables import TenantKind

_MONEY_DAYS = 7 * 366


async def kept_for(tx: Transaction, tenant_id: UUID, chain: AuditChain, settings: Settings) -> timedelta:
    """For how long the rows of a chain are kept: what is about money seven years, the rest by the kind of community."""
    if chain == AuditChain.MONEY:
        return timedelta(days=_MONEY_DAYS)
    if unknown := settings.audit_days.by_kind.keys() - set(TenantKind):
        raise SettingError(f"MUSTER_AUDIT_DAYS_OF names {sorted(unknown)}: no community is of this kind.")
    kind = await queries.kind_of(tx, tenant_id)
    return timedelta(days=settings.audit_days.usual if kind is None else settings.audit_days.days(kind))
