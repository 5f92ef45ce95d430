"""Who may do what: permissions, roles, and the check of every caller."""
