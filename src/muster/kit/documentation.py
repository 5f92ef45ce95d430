"""Documentation: what the docstring of a declared function or class tells its clients, taken apart.

    Remove somebody from an event; whoever waits longest gets a freed place.

    note: why, for the organisers. Raises EventNotFound, NotOrganiser.

The first line is the summary. In what follows, `name:` begins the description of an argument, a sentence that begins
with `Raises` names the errors that clients may meet, and the rest is the description. Of a view, a payload or an input
`name:` begins the description of a field; of a type with a name of its own, `Meta(description=...)` is.
"""

import inspect
import re
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Self, Union, get_args, get_origin

import msgspec

from muster.kit.remembered import remembered
from muster.kit.text import camel

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_ARGUMENT = re.compile(r"(\w+): (.*)", re.DOTALL)
_ERROR = re.compile(r"\b[A-Z][a-z]+(?:[A-Z][a-z]+)*\b")
_RAISES = "Raises "


@dataclass(frozen=True)
class Documentation:
    """What is said of a declared function.

    module: where it stands. raises: names of error classes. arguments: descriptions by the arguments' Python names.
    """

    module: str
    summary: str
    description: str = ""
    raises: tuple[str, ...] = ()
    arguments: Mapping[str, str] = field(default_factory=dict)

    @property
    def slice(self) -> str:
        """The slice that the function belongs to: the package below `muster`."""
        return self.module.split(".")[1]

    def also(self, paragraph: str) -> Self:
        """The same, and one paragraph more in the description."""
        return replace(self, description=f"{self.description}\n\n{paragraph}".strip())


def read_documentation(function: Callable[..., object], also: Callable[..., object] | None = None) -> Documentation:
    """Take the docstring of a declared function apart.

    also: what runs for it and may raise too, such as the `prepare` of a command.
    Raises TypeError without a docstring: it documents the endpoint.
    """
    text = inspect.getdoc(function)
    if not text:
        raise TypeError(f"{function.__module__}.{function.__name__} needs a docstring: it documents the endpoint")
    summary, _, rest = text.partition("\n")
    description, raises, arguments = _sorted(rest, frozenset(inspect.signature(function).parameters))
    if also is not None:
        raises += [each for each in _sorted(inspect.getdoc(also) or "", frozenset())[1] if each not in raises]
    return Documentation(function.__module__, summary.strip(), description, tuple(raises), arguments)


@remembered
def meanings_of(documented: type) -> Mapping[str, str]:
    """What the docstring of a class says of its fields, by their names on the wire."""
    names = frozenset(name for each in documented.__mro__ for name in getattr(each, "__annotations__", ()))
    told = _sorted(inspect.cleandoc(documented.__doc__ or ""), names)[2]
    return {camel(name): meaning for name, meaning in told.items()}


def meaning_of_type(annotation: Any) -> str | None:
    """What an annotation says of every value of its type, wherever that type is used."""
    if get_origin(annotation) is Annotated:
        # Of several, the last was given to the outermost name.
        given = [each.description for each in annotation.__metadata__ if isinstance(each, msgspec.Meta)]
        return next((each for each in reversed(given) if each), None)
    if get_origin(annotation) in (types.UnionType, Union):
        return next((told for each in get_args(annotation) if (told := meaning_of_type(each))), None)
    return None


def _sorted(text: str, names: frozenset[str]) -> tuple[str, list[str], dict[str, str]]:
    """The description, the errors and the arguments in the paragraphs of a docstring."""
    paragraphs, raises, arguments = [], [], {}
    for paragraph in re.split(r"\n\s*\n", text):
        told, argument = [], None
        for sentence in _SENTENCE_END.split(" ".join(paragraph.split())):
            opening = _ARGUMENT.fullmatch(sentence)
            if sentence.startswith(_RAISES):
                raises += _ERROR.findall(sentence.removeprefix(_RAISES))
                argument = None
            elif opening is not None and opening[1] in names:
                argument = opening[1]
                arguments[argument] = opening[2][0].upper() + opening[2][1:]
            elif argument is not None:
                arguments[argument] += f" {sentence}"
            else:
                told.append(sentence)
        paragraphs.append(" ".join(told))
    return "\n\n".join(each for each in paragraphs if each), raises, arguments
