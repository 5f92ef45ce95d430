"""The people of the demo community. Any likeness to anybody is chance."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from muster.identity import queries
from muster.identity.commands import open_account
from muster.kit.commands.staging import Stage

# RFC 2606, section 2: nothing under `.example` ever receives mail.
DOMAIN = "demo.example"

PEOPLE: Mapping[str, str] = {
    "nora": "Nora Lindqvist",
    "milo": "Milo Santos",
    "amara": "Amara Okafor",
    "bruno": "Bruno Keller",
    "chiara": "Chiara Moretti",
    "daniel": "Daniel Adeyemi",
    "elif": "Elif Kaya",
    "felix": "Felix Brandt",
    "gosia": "Gosia Wójcik",
    "hana": "Hana Sato",
    "ivan": "Ivan Petrov",
    "jasmine": "Jasmine Cole",
    "kofi": "Kofi Mensah",
    "lucia": "Lucía Herrera",
    "mateusz": "Mateusz Zieliński",
    "nadia": "Nadia Haddad",
    "oskar": "Oskar Nyberg",
    "priya": "Priya Raman",
    "quentin": "Quentin Dubois",
    "rosa": "Rosa Almeida",
    "samir": "Samir Khoury",
    "tereza": "Tereza Novotná",
    "ulla": "Ulla Virtanen",
    "viktor": "Viktor Hansen",
    "wen": "Wen Li",
    "ximena": "Ximena Vargas",
    "yusuf": "Yusuf Demir",
    "zuzanna": "Zuzanna Kowalczyk",
    "owen": "Owen Gallagher",
    "maeve": "Maeve Byrne",
}
"""By the first part of their mail."""
CALENDAR = "calendar"
"""Not a person: whose the conferences are. Nobody signs in as it, and it gets no mail."""


def mail_of(key: str) -> str:
    """The mail of somebody in the demo."""
    return f"{key}@{DOMAIN}"


async def open_accounts(stage: Stage, at: datetime, hashed: str) -> dict[str, UUID]:
    """Accounts for all, with one password; answers with the ids by key. hashed: of the password."""
    found: dict[str, UUID] = {}
    for key, name in PEOPLE.items():
        async with stage.act("register", None, at) as ctx:
            found[key] = await open_account(ctx, name=name, email=mail_of(key), verified=True)
            await queries.put_password(ctx, user_id=found[key], hashed=hashed)
    async with stage.act("register", None, at) as ctx:
        found[CALENDAR] = await open_account(ctx, name="Conference calendar", email=mail_of(CALENDAR))
    return found
