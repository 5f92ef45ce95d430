"""Files in a folder and in a bucket: the same to whoever keeps them, and out of reach without a fresh link."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import httpx
import jwt
import pytest
from moto.server import ThreadedMotoServer

from muster.kit.db.migrate import Urls
from muster.kit.sources import SettingError
from muster.kit.storage.storage import LINK_LASTS, NoSuchFile, Storage, disposition, folder_of, path_of, storage_of
from muster.settings import Settings
from muster.testing.serving import Service, serving

_ANN, _BEN, _TOWN = UUID(int=1), UUID(int=2), UUID(int=3)
_KEYS = {
    "S3_ACCESS_KEY_ID": "testing-key",
    "S3_SECRET_ACCESS_KEY": "testing-secret",
}


@pytest.fixture(scope="module")
def bucket() -> Iterator[dict[str, str]]:
    """The settings of a bucket on a server of its own."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    httpx.put(
        f"{address}/files", headers={"authorization": "AWS4-HMAC-SHA256 Credential=any/20300101/us-east-1/s3/any"}
    )
    yield {"S3_BUCKET": "files", "S3_ENDPOINT": address, **_KEYS}
    server.stop()


@pytest.fixture(params=["folder", "bucket"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    """One of each kind."""
    bucket = request.getfixturevalue("bucket") if request.param == "bucket" else {}
    return storage_of(Settings.load({"MUSTER_ENV": "test", "MUSTER_DATA_DIR": str(tmp_path), **bucket}))


async def _content(storage: Storage, path: str) -> bytes:
    return b"".join([piece async for piece in await storage.read(path)])


async def test_what_is_kept_is_read_replaced_and_removed(storage: Storage, tmp_path: Path) -> None:
    path, large = path_of("notes", ".txt", user_id=_ANN), tmp_path / "large"
    large.write_bytes(b"x" * 6_000_000)
    await storage.put(path, b"first", name="notes.txt")
    assert await _content(storage, path) == b"first"
    await storage.put(path, large, name="notes.txt")
    assert len(await _content(storage, path)) == 6_000_000
    await storage.delete(path)
    await storage.delete(path)
    with pytest.raises(NoSuchFile):
        await storage.read(path)


async def test_all_that_is_somebody_s_is_found_and_nothing_of_another(storage: Storage) -> None:
    paths = [path_of("notes", ".txt", user_id=who) for who in (_ANN, _ANN, _BEN)]
    paths.append(path_of("notes", ".txt", user_id=_ANN, tenant_id=_TOWN))
    for path in paths:
        await storage.put(path, b"any", name="any")
    assert len(set(paths)) == len(paths)
    assert sorted(await storage.paths(folder_of(user_id=_ANN))) == sorted(paths[:2])
    assert await storage.paths(folder_of(tenant_id=_TOWN)) == paths[3:]
    await storage.delete(*await storage.paths(folder_of(user_id=_ANN)))
    assert await storage.paths(folder_of(user_id=_ANN)) == []
    assert await storage.paths(folder_of(user_id=_BEN)) == paths[2:3]


async def test_a_link_to_a_bucket_leads_there_and_saves_under_a_name(bucket: dict[str, str]) -> None:
    storage = storage_of(Settings.load({"MUSTER_ENV": "test", **bucket}))
    path = path_of("notes", ".html", user_id=_ANN)
    await storage.put(path, b"<script>", name="notes.html")
    link = await storage.link(path, name="notes.html", now=datetime.now(UTC))
    assert "X-Amz-Expires=300" in link
    async with httpx.AsyncClient() as http:
        answer = await http.get(link)
    assert (answer.content, answer.headers["content-disposition"]) == (b"<script>", disposition("notes.html"))


async def test_a_link_to_a_folder_is_handed_out_by_the_api_and_never_shown(service: Service) -> None:
    storage = storage_of(service.settings)
    path = path_of("notes", ".html", user_id=_ANN)
    await storage.put(path, b"<script>", name="notes.html")
    try:
        link = await storage.link(path, name='a\r\nb".html', now=datetime.now(UTC))
        answer = await service.http.get(f"/files/{link.rpartition('/')[2]}")
    finally:
        await storage.delete(path)
    assert (answer.status_code, answer.content) == (200, b"<script>")
    assert (
        answer.headers["content-disposition"]
        == "attachment; filename=\"a__b_.html\"; filename*=UTF-8''a%0D%0Ab%22.html"
    )
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]


async def test_a_link_that_was_changed_made_up_or_is_old_leads_nowhere(service: Service) -> None:
    storage, now = storage_of(service.settings), datetime.now(UTC)
    path = path_of("notes", ".txt", user_id=_ANN)
    claims = {"path": path, "name": "any", "exp": now + LINK_LASTS}
    good = (await storage.link(path, name="any", now=now)).rpartition("/")[2]
    head, body, seal = good.split(".")
    others = [
        (await storage.link(path, name="any", now=now - timedelta(minutes=6))).rpartition("/")[2],
        f"{head}.{body}.{seal[::-1]}",
        f"{head}.{body}.",
        jwt.encode(claims, "another key that is quite long enough", "HS256"),
        jwt.encode(claims, "", "none"),
        good,  # there is no file
        "..%2f..%2fjwt.secret",
    ]
    answers = [await service.http.get(f"/files/{each}") for each in others]
    assert {answer.status_code for answer in answers} == {404}
    assert {answer.json()["code"] for answer in answers} == {"NOT_FOUND"}


def test_a_bucket_needs_its_keys() -> None:
    with pytest.raises(SettingError, match="S3_ACCESS_KEY_ID"):
        Settings.load({"MUSTER_ENV": "test", "S3_BUCKET": "files"})


@pytest.mark.parametrize(("name", "status"), [("files", "ok"), ("elsewhere", "degraded")])
async def test_whoever_watches_is_told_whether_the_bucket_answers(
    urls: Urls, bucket: dict[str, str], name: str, status: str
) -> None:
    async with serving(urls, **{**bucket, "S3_BUCKET": name}) as service:
        checks = (await service.http.get("/health/ready")).json()["checks"]
    assert checks["storage"]["status"] == status
