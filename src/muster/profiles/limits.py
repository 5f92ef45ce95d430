"""The rate limits that profiles draw from, beside those of the kit."""

from muster.kit.limits import Rule, limit

PROFILE_WRITE = limit("profile.write", Rule(30, 60), meaning="one's own profile")
TIE = limit("person.tie", Rule(30, 60), meaning="stars, follows and blocks")
