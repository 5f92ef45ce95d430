"""A reader of vector tiles of its own: the schema of the specification, given to the library of Protocol Buffers."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

# name: number, label (1 optional, 2 required, 3 repeated), type of the descriptor, whether it is packed.
_STRING, _UINT64, _UINT32, _ENUM_AS_UINT32, _MESSAGE, _DOUBLE, _FLOAT, _INT64, _SINT64, _BOOL = (
    9,
    4,
    13,
    13,
    11,
    1,
    2,
    3,
    18,
    8,
)
_SCHEMA: dict[str, dict[str, tuple[int, int, int, str | bool]]] = {
    "Value": {
        "string_value": (1, 1, _STRING, False),
        "float_value": (2, 1, _FLOAT, False),
        "double_value": (3, 1, _DOUBLE, False),
        "int_value": (4, 1, _INT64, False),
        "uint_value": (5, 1, _UINT64, False),
        "sint_value": (6, 1, _SINT64, False),
        "bool_value": (7, 1, _BOOL, False),
    },
    "Feature": {
        "id": (1, 1, _UINT64, False),
        "tags": (2, 3, _UINT32, True),
        "type": (3, 1, _ENUM_AS_UINT32, False),
        "geometry": (4, 3, _UINT32, True),
    },
    "Layer": {
        "version": (15, 2, _UINT32, False),
        "name": (1, 2, _STRING, False),
        "features": (2, 3, _MESSAGE, "Feature"),
        "keys": (3, 3, _STRING, False),
        "values": (4, 3, _MESSAGE, "Value"),
        "extent": (5, 1, _UINT32, False),
    },
    "Tile": {"layers": (3, 3, _MESSAGE, "Layer")},
}


@dataclass(frozen=True)
class Read:
    """A point as it was read: steps from the tile's north-west, and what is said of it."""

    x: int
    y: int
    properties: dict[str, Any]


def _tile_class() -> Any:
    described = import_module("google.protobuf.descriptor_pb2").FileDescriptorProto(name="tile", syntax="proto2")
    for message, fields in _SCHEMA.items():
        declared = described.message_type.add(name=message)
        for name, (number, label, kind, more) in fields.items():
            field = declared.field.add(name=name, number=number, label=label, type=kind)
            if isinstance(more, str):
                field.type_name = f".{more}"
            elif more:
                field.options.packed = True
    pool = import_module("google.protobuf.descriptor_pool").DescriptorPool()
    pool.Add(described)
    return import_module("google.protobuf.message_factory").GetMessageClass(pool.FindMessageTypeByName("Tile"))


def read_tile(content: bytes) -> tuple[str, int, list[Read]]:
    """The name and the extent of the one layer, and its points."""
    (layer,) = _tile_class().FromString(content).layers
    assert layer.version == 2
    return layer.name, layer.extent, [_read(layer, feature) for feature in layer.features]


def _read(layer: Any, feature: Any) -> Read:
    assert feature.type == 1
    command, x, y = feature.geometry
    assert command == 9
    pairs = zip(feature.tags[::2], feature.tags[1::2], strict=True)
    properties = {layer.keys[key]: _value(layer.values[value]) for key, value in pairs}
    return Read((x >> 1) ^ -(x & 1), (y >> 1) ^ -(y & 1), properties)


def _value(value: Any) -> Any:
    ((_, found),) = value.ListFields()
    return found
