"""Signing in with others: whom a provider vouches for, and the accounts that such people have."""
