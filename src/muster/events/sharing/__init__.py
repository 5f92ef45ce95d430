"""Share links: hidden events are seen by who has their link, until it is withdrawn."""
