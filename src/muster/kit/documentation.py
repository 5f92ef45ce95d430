"""Documentation: what the docstring of a declared function tells its clients, taken apart.

    Remove somebody from an event; whoever waits longest gets a freed place.

    note: why, for the organisers. Raises EventNotFound, NotOrganiser.

The first line is the summary. In what follows, `name:` begins the description of an argument, a sentence that begins
with `Raises` names the errors that clients may meet, and the rest is the description.
"""

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

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
                arguments[argument] = opening[2]
            elif argument is not None:
                arguments[argument] += f" {sentence}"
            else:
                told.append(sentence)
        paragraphs.append(" ".join(told))
    return "\n\n".join(each for each in paragraphs if each), raises, arguments
