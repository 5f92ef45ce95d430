"""Pages: small server-rendered HTML for people. The API stays the contract; a page only leads to its commands."""
