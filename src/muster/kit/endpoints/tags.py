"""Entity tags: which version of a thing an answer shows, where the thing counts its versions, and what it is to the byte.

`"7-f1d2d2f924e986ac86fdf7b3"` is a strong tag (RFC 9110, 8.8.3). `If-None-Match` compares all of it, so that no client
keeps what has changed in any way. `If-Match` compares the version, since that is what an update could overwrite: how
many have joined an event meanwhile is no reason to refuse its organiser; see decision 0020.
"""

import hashlib
import re

from muster.kit.errors import BadInput
from muster.kit.views.fields import Leaf, fields_of
from muster.kit.views.picks import VERSION
from muster.kit.views.view import View

_PACKED = "-gzip"

LONGEST = 2000
"""Characters of a list of tags; ten thousand tags would keep us busy for as long as a hundred requests."""

SHAPE = r'^(\*|(W/)?"[!#-~]*"(, ?(W/)?"[!#-~]*")*)$'
"""What an `If-Match` looks like, as the reference tells it."""

# RFC 9110, 8.8.3. A weak one is marked, and never says that two answers are the same.
_ONE = r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"'
_is_list = re.compile(rf"\s*{_ONE}\s*(,\s*{_ONE}\s*)*").fullmatch
_each = re.compile(_ONE).findall


def is_versioned(view: type[View]) -> bool:
    """Whether a row of this view says which version of the thing it shows."""
    return isinstance(fields_of(view).get(VERSION), Leaf)


def tag_of(body: str, content: bytes, *, versioned: bool) -> str:
    """The tag of an answer, with its quotes.

    content: the body's bytes. versioned: it shows a row whose last member is its version, as `whole` sees to.
    """
    digest = hashlib.blake2b(content, digest_size=12).hexdigest()
    return f'"{body[body.rindex(":") + 1 : -1]}-{digest}"' if versioned else f'"{digest}"'


def packed_tag(tag: str) -> str:
    """The tag of the same answer when it is compressed, since other bytes have another strong tag."""
    return f'{tag[:-1]}{_PACKED}"'


def known_as(tag: str, given: str) -> str | None:
    """By which tag an `If-None-Match` names the answer with this one, compressed or not; None when it does not.

    Weak ones count, since nothing is compared but what is read.
    """
    for each in given[:LONGEST].split(","):
        found = each.strip().removeprefix("W/")
        if found in (tag, packed_tag(tag)):
            return found
        if found == "*":
            return tag
    return None


def shows_same(tag: str, given: str, *, versioned: bool) -> bool:
    """Whether two tags, without their quotes, are of one state of a thing, as `If-Match` asks."""
    if versioned:
        return tag.partition("-")[0] == given.partition("-")[0]
    return tag == given.removesuffix(_PACKED)


def read_tags(given: str, path: str) -> frozenset[str] | None:
    """The strong tags that an `If-Match` lists, without their quotes; None for `*`, which is whatever there is.

    path: where it stands, for the error. Raises BadInput for what is no list of tags.
    """
    if given.strip() == "*":
        return None
    if len(given) > LONGEST or not _is_list(given):
        told = f"must be * or tags in quotes as ETag gave them, with commas between, in {LONGEST} characters at most"
        raise BadInput.field(path, told)
    return frozenset(tag for weak, tag in _each(given) if not weak)
