"""SQL for what people change of their accounts freely: how they are called, what they read, where their clock is."""

from msgspec import structs
from sqlalchemy import bindparam, select, update

from muster.identity.tables import User
from muster.kit.commands.context import Ctx
from muster.kit.db.statements import Nothing, Row, Statement, columns


class Choices(Row):
    """What of an account its person changes freely."""

    name: str
    locale: str | None
    timezone: str | None


_PERSON = bindparam("person", type_=User.id.type)
# Two changes of one account take turns: the second changes what the first has made of it.
_LOCK_CHOICES = Statement(
    Choices, select(*columns(Choices, User)).where(User.id == _PERSON).with_for_update(key_share=True)
)
_PUT_CHOICES = Statement(
    Nothing,
    update(User)
    .where(User.id == _PERSON)
    .values(**{name: bindparam(f"new_{name}") for name in Choices.__struct_fields__}),
)


async def lock_choices(ctx: Ctx) -> Choices:
    """Lock the acting person's account, and say what they have chosen. Raises LookupError for an account that is gone."""
    found = await ctx.db.one(_LOCK_CHOICES, person=ctx.user_id)
    if found is None:
        raise LookupError("who is signed in has no account")
    return found


async def put_choices(ctx: Ctx, choices: Choices) -> None:
    """Store the acting person's locked account as changed."""
    changed = {f"new_{name}": value for name, value in structs.asdict(choices).items()}
    await ctx.db.run(_PUT_CHOICES, person=ctx.user_id, **changed)
