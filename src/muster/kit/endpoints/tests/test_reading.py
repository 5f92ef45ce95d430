"""Reading requests without a server: JSON, paths of errors, and the extent of documents."""

import time

import pytest
from graphql import parse

from muster.kit.endpoints.graphql.limits import Limits, check_shape
from muster.kit.endpoints.http import decode_json
from muster.kit.endpoints.problem import as_rest_writes_it
from muster.kit.errors import BadInput, FieldProblem, Invalid

WIDE = Limits(depth=1000, complexity=10**9)


@pytest.mark.parametrize(
    "text", [b"{}", b'{"a": {"a": 1}, "b": [{"a": 1}, {"a": 2}]}', b'"\xf0\x9f\x98\x80"', "1e308", b" null "]
)
def test_json(text: bytes | str) -> None:
    decode_json(text)


@pytest.mark.parametrize(
    ("text", "path", "what"),
    [
        (b'{"a": 1, "b": {"c": 1, "c": 2}}', "c", "given more than once"),
        (b'"\xff"', "", "UTF-8 at byte 1"),
        (b"[" * 100_000, "", "nested too deeply"),
        (b"NaN", "", "not JSON"),
        (b"-Infinity", "", "not JSON"),
        (b"1e309", "", "not JSON"),
        (b"9" * 5000, "", "not JSON"),
        (b"\xef\xbb\xbf{}", "", "not JSON"),
        (b"", "", "not JSON"),
    ],
)
def test_no_json(text: bytes, path: str, what: str) -> None:
    with pytest.raises(BadInput, match=what) as refused:
        decode_json(text)
    assert [each.path for each in refused.value.fields] == [path]
    assert refused.value.detail.startswith(f"{path}: " if path else "The input ")


def test_many_names_of_which_two_are_one() -> None:
    """Finding the name that is given twice must not take longer the more there are."""
    names = ",".join(f'"n{number}":1' for number in range(50_000))
    began = time.perf_counter()
    with pytest.raises(BadInput, match="n49999: is given more than once"):
        decode_json(f'{{{names},"n49999":2}}')
    assert time.perf_counter() - began < 2


def test_rest_shows_paths_as_rest_writes_them() -> None:
    fields = (FieldProblem("input.title", "INVALID", "is short"), FieldProblem("filter.text", "INVALID", "is odd"))
    shown = as_rest_writes_it(Invalid("input.title: is short; filter.text: is odd", fields=fields))
    assert [each.path for each in shown.fields] == ["title", "text"]
    assert shown.detail == "title: is short; text: is odd"
    plain = as_rest_writes_it(BadInput.field("", "is not JSON: line 1"))
    assert plain.detail == "The input is not JSON: line 1"


DOCUMENTS = [
    ("{ a }", 1, 1),
    ("{ a { b { c } } d }", 3, 4),
    ("{ events { nodes { id } edges { node { id } } } }", 2, 6),
    ("{ ...f } fragment f on Query { a { ...g } b { ...g } } fragment g on A { x y }", 2, 6),
    ("{ __schema { types { name } } }", 1, 3),
    ("{ ... { ... on Query { a } } }", 1, 1),
]


@pytest.mark.parametrize(("text", "depth", "fields"), DOCUMENTS)
def test_the_extent_of_a_document(text: str, depth: int, fields: int) -> None:
    document = parse(text)
    check_shape(document, Limits(depth=depth, complexity=fields))
    with pytest.raises(BadInput, match=f"is {depth} levels deep"):
        check_shape(document, Limits(depth=depth - 1, complexity=fields))
    with pytest.raises(BadInput, match=f"selects {fields} fields"):
        check_shape(document, Limits(depth=depth, complexity=fields - 1))


def test_fragments_that_spread_themselves_are_left_to_validation() -> None:
    check_shape(parse("{ ...a } fragment a on Query { x ...b } fragment b on Query { y ...a ...nowhere }"), WIDE)


def test_fields_are_counted_without_being_spread() -> None:
    links = " ".join(f"fragment f{n} on Query {{ ...f{n + 1} ...f{n + 1} }}" for n in range(100))
    with pytest.raises(BadInput, match=f"selects {2**100} fields"):
        check_shape(parse(f"{{ ...f0 }} {links} fragment f100 on Query {{ a }}"), WIDE)
