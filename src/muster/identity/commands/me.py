"""Changing one's own account, apart from what guards it."""

from typing import Any

from msgspec import UNSET, UnsetType, structs

from muster.identity.commands.accounts import Locale, PersonName, Timezone
from muster.identity.facts import AccountUpdated
from muster.identity.queries import choices as choice_queries
from muster.identity.views import UserView
from muster.kit.arguments import Input
from muster.kit.caller import signed_in
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx
from muster.kit.errors import Invalid
from muster.kit.limits import API
from muster.kit.places import is_timezone
from muster.kit.text import camel


class UpdateMeInput(Input):
    """What changes of one's account. What is absent stays as it is; what is null is emptied."""

    name: PersonName | UnsetType = UNSET
    locale: Locale | UnsetType | None = UNSET
    timezone: Timezone | UnsetType | None = UNSET


@command("PATCH /me", "updateMe", allow=signed_in, limit=API)
async def update_me(ctx: Ctx, *, input: UpdateMeInput) -> UserView:
    """Change one's name, language or time zone.

    Raises Invalid.
    """
    if isinstance(input.timezone, str) and not is_timezone(input.timezone):
        raise Invalid.field("input.timezone", "must be an IANA time zone such as Europe/Warsaw")
    given: dict[str, Any] = {name: value for name, value in structs.asdict(input).items() if value is not UNSET}
    if "name" in given:
        given["name"] = given["name"].strip()
    before = await choice_queries.lock_choices(ctx)
    after = structs.replace(before, **given)
    changed = [name for name in before.__struct_fields__ if getattr(before, name) != getattr(after, name)]
    if changed:
        await choice_queries.put_choices(ctx, after)
        ctx.record(AccountUpdated(user_id=ctx.user_id, changed=[camel(name) for name in changed]))
    return UserView.ref(ctx.user_id)
