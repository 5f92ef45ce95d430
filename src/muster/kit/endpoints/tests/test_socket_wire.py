"""What is written straight to sockets is what the library would write."""

import pytest
from websockets.frames import Frame, Opcode

from muster.kit.endpoints.socket_wire import frame_of


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536])
def test_frames_have_the_heads_of_their_sizes(size: int) -> None:
    written = Frame(Opcode.TEXT, b"x" * size).serialize(mask=False)
    assert frame_of(b"x" * (size // 2), b"x" * (size - size // 2)) == written
