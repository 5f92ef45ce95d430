"""Signing in a device that has no browser, such as a command line, by a code that its person types elsewhere (RFC 8628)."""
