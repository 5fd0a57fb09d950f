"""The reviewer: what a change makes worse, said on its pull request."""
