"""The forms of a model, by family: each says one thing that a framework's code may mean."""
