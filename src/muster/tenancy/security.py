"""What people are told of their own account, in the product beside the letter."""

from muster.identity.facts import SignedIn
from muster.identity.mail import post_mail
from muster.identity.notices import NewDeviceMail, is_new_device
from muster.kit.commands.context import Ctx
from muster.notifications.commands import tell
from muster.tenancy.queries import find_status


async def tell_new_device(ctx: Ctx, fact: SignedIn) -> None:
    """Tell a person that their account was signed in to from where it never was before: by mail, and in the product where
    they signed in, if they ever were a member there.
    """
    if not await is_new_device(ctx, fact):
        return
    letter = NewDeviceMail(session_id=fact.session_id)
    if await find_status(ctx, fact.user_id) is None:
        await post_mail(ctx, letter, user_id=fact.user_id)
    else:
        data = {"sessionId": fact.session_id}
        await tell(ctx, user_id=fact.user_id, kind="NEW_DEVICE", data=data, mail=letter)
