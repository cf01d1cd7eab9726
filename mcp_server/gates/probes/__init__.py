"""The probes: what the server can find out for itself, each in a module of its own."""
