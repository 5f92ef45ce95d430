"""Server-sent events: GraphQL by the `graphql-sse` protocol, and streams by REST for clients without GraphQL."""
