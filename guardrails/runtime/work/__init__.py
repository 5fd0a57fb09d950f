"""A worker at work: it claims attempts, talks with their bodies, records one outcome each, and keeps its lease."""
