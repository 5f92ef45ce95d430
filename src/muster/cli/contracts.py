"""What the outside relies on, printed: the two contracts and the version."""

from pathlib import Path

from muster import __version__
from muster.cli.output import JsonFlag, show


def openapi() -> None:
    """Print the OpenAPI document of the REST API.

    Example: muster openapi > openapi.json
    """
    from muster.main import openapi_document

    print(openapi_document())


def sdl() -> None:
    """Print the GraphQL schema.

    Example: muster sdl > schema.graphql
    """
    from muster.main import schema_sdl

    print(schema_sdl())


def operations(*files: Path) -> None:
    """Print the list of operations for MUSTER_PERSISTED_ONLY, from the files that a client sends.

    Clients send a file as it is, or its hash, which is its `id` in the list. A file that would not run in production
    is refused.

    Example: muster operations client/*.graphql > operations.json
    """
    from muster.main import operations_list

    print(operations_list(files))


def version(*, as_json: JsonFlag = False) -> None:
    """Print the version.

    Example: muster version
    """
    show({"version": __version__}, __version__, as_json=as_json)
