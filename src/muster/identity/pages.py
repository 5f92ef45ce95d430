"""The pages that links in mails lead to. Opening one changes nothing: scanners of mail open links, people press buttons."""

from dataclasses import dataclass

from starlette.responses import Response

from muster.kit.endpoints.pages.page import Visit, page
from muster.kit.errors import Invalid


@dataclass(frozen=True)
class Field:
    """A field of the form; its name is also that of its label in the page's words."""

    name: str
    type: str
    autocomplete: str


@dataclass(frozen=True)
class Step:
    """One thing to do on a page.

    command: what the form does, by its GraphQL name, with its fields and perhaps the link's token as arguments.
    words: the section of identity's words: `title`, `text`, `button`, the labels of its fields, and what is shown
    afterwards, `done_title` and `done_text`.
    """

    command: str
    words: str
    fields: tuple[Field, ...] = ()
    by_link: bool = True

    def show(self, visit: Visit, *, wrong: str | None = None) -> Response:
        """The form. wrong: what was not right with it, the last time it was sent."""
        return visit.show(
            "identity/templates/step.html",
            status=200 if wrong is None else Invalid.status,
            words=visit.words(self.words),
            fields=self.fields,
            token=visit.field("token") if self.by_link else None,
            wrong=wrong,
        )

    async def take(self, visit: Visit) -> Response:
        """Do what the form asks for; what is wrong with its fields is shown above it."""
        names = [each.name for each in self.fields] + (["token"] if self.by_link else [])
        try:
            await visit.run(self.command, **{name: visit.field(name) for name in names})
        except Invalid as refusal:
            return self.show(visit, wrong="; ".join(each.message for each in refusal.fields) or refusal.detail)
        return visit.show("identity/templates/done.html", words=visit.words(self.words))


_VERIFY = Step("verifyEmail", "identity.page_verify")
_RESET = Step("resetPassword", "identity.page_reset", (Field("password", "password", "new-password"),))
_UNLOCK = Step("unlockAccount", "identity.page_unlock")
_CHANGE_EMAIL = Step("confirmEmailChange", "identity.page_change_email")
_FORGOT = Step("forgotPassword", "identity.page_forgot", (Field("email", "email", "email"),), by_link=False)
_RESTORE = Step("restoreAccount", "identity.page_restore")
_COME_BACK = Step("askToRestore", "identity.page_come_back", (Field("email", "email", "email"),), by_link=False)


@page("GET /verify")
async def show_verify(visit: Visit) -> Response:
    """Where the mail after registering leads."""
    return _VERIFY.show(visit)


@page("POST /verify")
async def verify(visit: Visit) -> Response:
    """Confirm the address."""
    return await _VERIFY.take(visit)


@page("GET /reset")
async def show_reset(visit: Visit) -> Response:
    """Where the mail about a forgotten password leads."""
    return _RESET.show(visit)


@page("POST /reset")
async def reset(visit: Visit) -> Response:
    """Set the password."""
    return await _RESET.take(visit)


@page("GET /unlock")
async def show_unlock(visit: Visit) -> Response:
    """Where the mail about too many wrong passwords leads."""
    return _UNLOCK.show(visit)


@page("POST /unlock")
async def unlock(visit: Visit) -> Response:
    """Lift the lock."""
    return await _UNLOCK.take(visit)


@page("GET /forgot")
async def show_forgot(visit: Visit) -> Response:
    """Where the mail about a changed password leads."""
    return _FORGOT.show(visit)


@page("POST /forgot")
async def forgot(visit: Visit) -> Response:
    """Have the link mailed."""
    return await _FORGOT.take(visit)


@page("GET /restore")
async def show_restore(visit: Visit) -> Response:
    """Where the mail to who wants back into a closed account leads."""
    return _RESTORE.show(visit)


@page("POST /restore")
async def restore(visit: Visit) -> Response:
    """Open the account again."""
    return await _RESTORE.take(visit)


@page("GET /come-back")
async def show_come_back(visit: Visit) -> Response:
    """Where the mails about a closed account lead."""
    return _COME_BACK.show(visit)


@page("POST /come-back")
async def come_back(visit: Visit) -> Response:
    """Have the link mailed."""
    return await _COME_BACK.take(visit)


@page("GET /change-email")
async def show_change_email(visit: Visit) -> Response:
    """Where both mails about another address lead."""
    return _CHANGE_EMAIL.show(visit)


@page("POST /change-email")
async def change_email(visit: Visit) -> Response:
    """Say yes to the change."""
    return await _CHANGE_EMAIL.take(visit)
