"""Handing out files of a folder to who has a link; those of a bucket are fetched from there."""

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from muster.kit.endpoints.http import NoSuchAddress, problem_response
from muster.kit.storage.storage import NoSuchFile, Storage, disposition


class FileLinks:
    """The address of links to files."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def fetch(self, request: Request) -> Response:
        """The file of a link. Nothing tells a link that has expired from one that never was."""
        handed = self._storage.opened(request.path_params["token"])
        try:
            pieces = None if handed is None else await self._storage.read(handed.path)
        except NoSuchFile:
            pieces = None
        if handed is None or pieces is None:
            return problem_response(NoSuchAddress(), request.state.request_id)
        headers = {
            "content-disposition": disposition(handed.name),
            "content-security-policy": "default-src 'none'; sandbox",
            "cache-control": "private, no-store",
            "referrer-policy": "no-referrer",
        }
        return StreamingResponse(pieces, headers=headers, media_type="application/octet-stream")
