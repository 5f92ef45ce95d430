"""What the outside relies on, printed: the two contracts and the version."""

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


def version(*, as_json: JsonFlag = False) -> None:
    """Print the version.

    Example: muster version
    """
    show({"version": __version__}, __version__, as_json=as_json)
