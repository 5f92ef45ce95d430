"""REST from the declarations: one address for each route, one read for each answer."""
