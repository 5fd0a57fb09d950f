"""The runtime's own book: the jobs' rows, their keys and events, and what goes with them, beside the engine's tables in one database."""
