"""What tests share: the served application, clients of its endpoints, people, work, and a look below row security.

Nothing that runs in production imports this; a contract in pyproject.toml says so.
"""
