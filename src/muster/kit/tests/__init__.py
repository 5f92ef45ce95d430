"""Tests of what stands in no package of its own."""
