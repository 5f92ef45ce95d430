"""How a request stands with its rates, told with the answer."""

from starlette.responses import Response

from muster.kit.caller import Origin


def tell_rates(response: Response, origin: Origin) -> Response:
    """The answer, with what is left in the tightest bucket that the request drew from, where rates are limited.

    `t` is the whole window: the last draw leaves it then, and with it all of them
    (https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/).
    """
    arrival = origin.arrival
    if arrival is not None and (standing := arrival.standing) is not None:
        bucket = standing.bucket
        left = f'"{bucket.limit.name}";r={standing.room};t={bucket.rule.seconds}'
        response.raw_headers += [(b"ratelimit", left.encode()), (b"ratelimit-policy", bucket.policy.encode())]
    return response
