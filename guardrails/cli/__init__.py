"""The command line: a module a command, each loaded when it is asked for."""
