"""Negative controls: a small authorization server that is broken on purpose, one fault at a time."""
