"""GraphQL from the declarations: the schema, documents, execution, HTTP."""
