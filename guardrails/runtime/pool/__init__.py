"""The warm pool: bodies run in child processes that a guardian can kill whole, whatever they do."""
