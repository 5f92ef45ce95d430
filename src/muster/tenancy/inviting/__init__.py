"""Inviting many at once: the rows of a file, each answered for by itself."""
