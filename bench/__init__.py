"""The benchmarks: Muster beside its peer, on the same rows of the same PostgreSQL. `make bench` runs them."""
