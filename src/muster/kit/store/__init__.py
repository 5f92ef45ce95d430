"""The shared store: what several processes know together and may lose, in Valkey or Redis."""
