"""What the size of the database costs: `scripts/growth`."""
