"""Measures Latchkey: `make bench`."""
