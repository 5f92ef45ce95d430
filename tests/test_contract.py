"""The service keeps to its OpenAPI document whatever it is asked: schemathesis makes requests of every kind from it.

No answer may be a 5xx, have a status, media type, header or body that is not described, take what the document
forbids, or do without a token what needs one. Time bounds how many requests that is, so operations take turns: a part
of them each day, and all of them before a release.
"""

import asyncio
import sys
from pathlib import Path

import pytest

from muster.kit.commands.command import COMMANDS
from muster.kit.views.query import QUERIES
from muster.testing.people import Standing
from muster.testing.thoroughness import as_much_as, in_turn
from muster.testing.town import Town

SECONDS = as_much_as(6, thoroughly=300)
# What the document allows may still be refused, for rules that JSON Schema has no word for. And the community is asked
# for before the token, so that who names one that does not exist gets 404 with a token or without. Whether what was made
# is found is asked by tests that know which id is of what.
NOT_ASKED = "positive_data_acceptance,missing_required_header,ensure_resource_availability"
# Whoever ends their own session would be a stranger for the rest of the run.
ENDS_THE_SESSION = "(?i)logout|session|changePassword|deleteAccount"
# Schemathesis waits for the end of an answer.
ENDLESS = "^stream$"
NAMES = sorted({*COMMANDS, *QUERIES})
A_DAY = len(NAMES) // 4


@pytest.mark.parametrize("standing", [Standing.ANONYMOUS, Standing.OWNER])
async def test_every_answer_is_one_that_the_document_describes(standing: Standing, town: Town, tmp_path: Path) -> None:
    config = tmp_path / "schemathesis.toml"
    config.write_text("" if standing == Standing.ANONYMOUS else _ids(town))
    mine = in_turn(NAMES, list(Standing).index(standing), A_DAY)
    headers = [f"--header={name.title()}: {value}" for name, value in town.client(standing).headers().items()]
    process = await asyncio.create_subprocess_exec(
        *(str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(config), "run"),
        f"{town.service.address}/openapi.json",
        *(
            "--checks",
            "all",
            "--exclude-checks",
            NOT_ASKED,
            "--include-operation-id-regex",
            f"^({'|'.join(mine)})$",
            "--exclude-operation-id-regex",
            f"{ENDS_THE_SESSION}|{ENDLESS}",
        ),
        *("--max-time", str(SECONDS), "--seed", "1", "--workers", "1", "--continue-on-failure"),
        *("--no-color", "--warnings", "off", "--generation-database", "none"),
        *headers,
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told = (await process.communicate())[0].decode()
    assert process.returncode == 0, told[-20_000:]
    assert "passed" in told


def _ids(town: Town) -> str:
    """Real things for the places in addresses, half of the time; by themselves random ids name nothing."""
    member = town.people[Standing.MEMBER]
    ids = {"eventId": town.event_id, "id": town.event_id, "messageId": town.message_id, "userId": member.user_id}
    return "[parameters]\n" + "".join(f'"path.{name}" = "{value}"\n' for name, value in ids.items())
