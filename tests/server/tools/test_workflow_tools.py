"""The dispatcher and the handlers, called as a module: one envelope for everything."""
