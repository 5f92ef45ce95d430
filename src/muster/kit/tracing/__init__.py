"""Traces: how what one request set off is found together, from the request to the last mail (OpenTelemetry)."""
