"""A code base cut over from the old, separate workflow tools to the one `aos_workflow`."""
