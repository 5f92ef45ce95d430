"""Examples: what a value of a schema may look like, from the examples that are declared, else from the type."""

from typing import Any

Schema = dict[str, Any]
"""A JSON schema."""

_ID = "01934f6e-5a00-7c3d-9b1e-2f4a6c8d0e1f"
_MOMENT = "2031-05-01T18:00:00.000000Z"
_FORMATS = {"uuid": _ID, "date-time": _MOMENT}


def example_of(schema: Schema, named: dict[str, Schema], *, key: str = "text") -> Any:
    """A value that fits the schema.

    named: the schemas that it may refer to. key: what it is the value of, which text without an example repeats.
    """
    if "$ref" in schema:
        return example_of(named[schema["$ref"].rpartition("/")[2]], named, key=key)
    if "examples" in schema:
        return schema["examples"][0]
    if "anyOf" in schema:
        return example_of(schema["anyOf"][0], named, key=key)
    if "enum" in schema:
        return schema["enum"][0]
    return _of_type(schema, named, key)


def _of_type(schema: Schema, named: dict[str, Schema], key: str) -> Any:
    kind = schema.get("type", "object")
    match kind if isinstance(kind, str) else kind[0]:
        case "object":
            return {name: example_of(inner, named, key=name) for name, inner in _shown(schema).items()}
        case "array":
            return [example_of(schema["items"], named, key=key)]
        case "string":
            return _text(schema, key)
        case "integer":
            return max(schema.get("minimum", 0), schema.get("default") or 10)
        case "number":
            return schema.get("minimum", 0.5)
        case "boolean":
            return schema.get("default", True)
    return None


def _shown(schema: Schema) -> dict[str, Schema]:
    """The properties that an example shows: all that are required, and those with an example of their own."""
    required = schema.get("required", [])
    return {
        name: inner
        for name, inner in schema.get("properties", {}).items()
        if name in required or "examples" in inner or any("examples" in each for each in inner.get("anyOf", []))
    }


def _text(schema: Schema, key: str) -> str:
    if "format" in schema:
        return _FORMATS[schema["format"]]
    return key.ljust(schema.get("minLength", 0), ".")[: schema.get("maxLength", len(key) + 100)]
