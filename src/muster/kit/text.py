"""Text: names in the two cases we use, and what no database can store."""

from muster.kit.errors import BadInput


def camel(snake: str) -> str:
    """`starts_at` as clients write it: `startsAt`."""
    head, *tail = snake.split("_")
    return head + "".join(word.title() for word in tail)


def refuse_unstorable(value: object, path: str = "") -> None:
    """Refuse text that PostgreSQL or UTF-8 cannot hold, anywhere in decoded input.

    Raises BadInput with the path for U+0000 and for lone surrogates.
    """
    if isinstance(value, str):
        if "\x00" in value:
            raise BadInput(f"{path or 'The text'}: holds the character U+0000, which cannot be stored.")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise BadInput(f"{path or 'The text'}: holds half a surrogate pair, which is no character.") from None
    elif isinstance(value, dict):
        for key, inner in value.items():
            refuse_unstorable(key, path)
            refuse_unstorable(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            refuse_unstorable(inner, f"{path}[{index}]")
