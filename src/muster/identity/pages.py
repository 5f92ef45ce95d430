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
            return self.show(visit, wrong=refusal.detail)
        return visit.show("identity/templates/done.html", words=visit.words(self.words))


def _at(path: str, step: Step) -> None:
    """Show a step at an address, and take its form there."""

    async def show(visit: Visit) -> Response:
        return step.show(visit)

    page(f"GET {path}")(show)
    page(f"POST {path}")(step.take)


_EMAIL = Field("email", "email", "email")
_NEW_PASSWORD = Field("password", "password", "new-password")

_at("/verify", Step("verifyEmail", "identity.page_verify"))
_at("/reset", Step("resetPassword", "identity.page_reset", (_NEW_PASSWORD,)))
_at("/unlock", Step("unlockAccount", "identity.page_unlock"))
_at("/change-email", Step("confirmEmailChange", "identity.page_change_email"))
_at("/restore", Step("restoreAccount", "identity.page_restore"))
_at("/forgot", Step("forgotPassword", "identity.page_forgot", (_EMAIL,), by_link=False))
_at("/come-back", Step("askToRestore", "identity.page_come_back", (_EMAIL,), by_link=False))
