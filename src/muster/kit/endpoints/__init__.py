"""Endpoints: REST, GraphQL and sockets, all made from the same declarations."""
