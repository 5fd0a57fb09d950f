"""Facts in, findings out: a file a rule; the file's name is the rule's name with `_` for `-`."""
