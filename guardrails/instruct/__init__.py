"""Instruction files for coding agents: from the rulebook and from the project itself, kept current, never losing a byte of the user's."""
