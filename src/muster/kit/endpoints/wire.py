"""The wire: uvicorn's HTTP, with a bound on the head of a request, which it would collect for as long as one is sent."""

from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from muster.kit.endpoints.problem import LARGEST_HEAD

_REFUSAL = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class BoundedHttp(HttpToolsProtocol):
    """Ends a connection on which a head goes on past the bound. A head that is whole is measured by the frame, which
    answers with more words.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        # Bytes of a head that is not whole yet; None while a body is under way.
        self._head: int | None = 0

    def data_received(self, data: bytes) -> None:
        """Take what has arrived."""
        if self._head is not None:
            self._head += len(data)
        super().data_received(data)
        if self._head is not None and self._head > LARGEST_HEAD and not self.transport.is_closing():
            self.transport.write(_REFUSAL)
            self.transport.close()

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._head = None
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is whole; what follows on this connection is the head of the next one."""
        self._head = 0
        super().on_message_complete()
