"""The README works by copy and paste: its tour is run, line by line, against the whole house as `make up` starts it."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PATIENCE = 120.0


def tour() -> str:
    """The shell blocks of the tour, as one script."""
    text = (ROOT / "README.md").read_text()
    chapter = text[text.index("## A first tour") : text.index("## The command line")]
    return "\n".join(re.findall(r"```sh\n(.*?)```", chapter, re.DOTALL))


@pytest.fixture
def house(data_dir: Path) -> Iterator[dict[str, str]]:
    """The whole house as `muster up` starts it on a machine of its own: the settings that lead there."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    settings = {"PORT": str(port), "MUSTER_DATA_DIR": str(data_dir / "data")}
    said = data_dir / "said"
    with said.open("w") as output:
        process = subprocess.Popen([sys.executable, "-m", "muster.cli", "up"], env=os.environ | settings, stdout=output)
    try:
        wait_until_said("Four things to try", said, process)
        yield settings
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0


def wait_until_said(words: str, said: Path, process: "subprocess.Popen[bytes]") -> None:
    """What `up` says last; the demo is loaded then."""
    deadline = time.monotonic() + PATIENCE
    while words not in said.read_text():
        assert process.poll() is None, f"muster up ended with {process.returncode}"
        assert time.monotonic() < deadline, said.read_text()
        time.sleep(0.1)


@pytest.mark.skipif(shutil.which("curl") is None, reason="the tour uses curl, which this machine lacks")
def test_the_tour_works_line_by_line(house: dict[str, str]) -> None:
    script = tour().replace("127.0.0.1:8000", f"127.0.0.1:{house['PORT']}")
    done = subprocess.run(
        ["bash", "-eu", "-c", script],
        check=False,
        cwd=ROOT,
        env=os.environ | house,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    answers = [json.loads(answer) for answer in split_documents(done.stdout)]
    problems = [answer for answer in answers if "code" in answer or "errors" in answer]
    assert [problem["code"] for problem in problems] == ["TENANT_NOT_FOUND"], "only the last line is refused"
    on_in_krakow, published, seated, waiting, said, left, promoted, told, read, *rest = answers
    assert [event["city"] for event in on_in_krakow["items"]] == ["Kraków", "Kraków"]
    assert (published["status"], seated["status"], waiting["status"]) == ("PUBLISHED", "JOINED", "WAITLIST")
    assert waiting["waitlistPosition"] == 1
    assert (left["status"], promoted["status"]) == ("LEFT", "JOINED")
    assert said["sequence"] == 1
    assert read["data"]["event"]["joinedCount"] == 2
    assert [item["kind"] for item in told["items"]] == ["WAITLIST_PROMOTED"]
    assert next(answer["unreadCount"] for answer in rest if "unreadCount" in answer) > 0, "of Nora"
    assert next(answer["verifiedAt"] for answer in rest if answer.get("name") == "Dee"), "by the link in the mail"
    heard = next(answer["eventMessageAdded"] for answer in rest if "eventMessageAdded" in answer)
    hellos = [answer["id"] for answer in rest if answer.get("content") == "Hello!"]
    assert len(hellos) == 2
    assert len(set(hellos)) == 1
    assert heard["message"] == {"content": "I got in!", "author": {"name": "Cyd"}}


def split_documents(text: str) -> list[str]:
    """JSON documents that stand behind each other without separators."""
    decoder, found, position = json.JSONDecoder(), [], 0
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        _, end = decoder.raw_decode(text, position)
        found.append(text[position:end])
        position = end
    return found
