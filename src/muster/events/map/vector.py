"""Vector tiles of points, as https://github.com/mapbox/vector-tile-spec/tree/master/2.1 has them.

A tile is a message of Protocol Buffers with one layer. Points are all that we draw, so this is all that it takes; the
packages that write any geometry bring libraries of a hundred times the size.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

EXTENT = 4096
"""How many steps a tile is wide, and high."""
MEDIA_TYPE = "application/vnd.mapbox-vector-tile"

Value = str | int
_VARINT, _BYTES = 0, 2
_POINT = 1
_MOVE_TO_ONCE = 1 | 1 << 3


@dataclass(frozen=True)
class Point:
    """What stands somewhere in a tile: steps from its north-west, and what is said of it."""

    x: int
    y: int
    properties: dict[str, Value]


@dataclass
class _Named:
    """Things that a layer lists once and its features name by number."""

    numbers: dict[Value, int] = field(default_factory=dict)

    def number(self, value: Value) -> int:
        return self.numbers.setdefault(value, len(self.numbers))


def vector_tile(layer: str, points: Iterable[Point]) -> bytes:
    """A tile with one layer."""
    keys, values = _Named(), _Named()
    features = [_field(2, _feature(point, keys, values)) for point in points]
    named = [_field(3, str(each).encode()) for each in keys.numbers]
    told = [_field(4, _value(each)) for each in values.numbers]
    version, extent = _key(15, _VARINT) + _varint(2), _key(5, _VARINT) + _varint(EXTENT)
    return _field(3, b"".join((version, _field(1, layer.encode()), *features, *named, *told, extent)))


def _feature(point: Point, keys: _Named, values: _Named) -> bytes:
    tags = [number for key, value in point.properties.items() for number in (keys.number(key), values.number(value))]
    geometry = (_MOVE_TO_ONCE, _zigzag(point.x), _zigzag(point.y))
    return _packed(2, tags) + _key(3, _VARINT) + _varint(_POINT) + _packed(4, geometry)


def _value(value: Value) -> bytes:
    return _field(1, value.encode()) if isinstance(value, str) else _key(5, _VARINT) + _varint(value)


def _packed(number: int, values: Sequence[int]) -> bytes:
    return _field(number, b"".join(map(_varint, values)))


def _field(number: int, content: bytes) -> bytes:
    return _key(number, _BYTES) + _varint(len(content)) + content


def _key(number: int, kind: int) -> bytes:
    return _varint(number << 3 | kind)


def _zigzag(value: int) -> int:
    return value << 1 ^ value >> 63


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)
