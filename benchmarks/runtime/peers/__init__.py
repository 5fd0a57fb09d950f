"""The systems: one module each, imported only in its own producer and its own workers."""
