"""How the pages and mails of a community look."""

from uuid import UUID

from muster.kit.brand import HOUSE, Brand
from muster.kit.db.database import Transaction
from muster.kit.db.tables import PLATFORM_TENANT
from muster.tenancy import queries


async def brand_of(tx: Transaction, tenant_id: UUID, *, to_anybody: bool) -> Brand:
    """The look of a community; the house's for the platform, and where there is none.

    to_anybody: only if everybody may know of it, since it is listed or the default one; the house's otherwise.
    """
    look = None if tenant_id == PLATFORM_TENANT else await queries.find_look(tx, tenant_id)
    if look is None or (to_anybody and not look.is_known):
        return HOUSE
    return Brand(
        name=look.name,
        logo=look.logo_url,
        primary=look.primary_colour or HOUSE.primary,
        accent=look.accent_colour or HOUSE.accent,
        locale=look.locale,
    )
