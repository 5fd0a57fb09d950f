"""What is measured rather than tested; not part of the package."""
