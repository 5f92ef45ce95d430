"""The OpenAPI document, from what the slices declare. A test holds every answer of the service against it."""
