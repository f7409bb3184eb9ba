"""What the fault suite judges with: a ledger of everything asked and answered, invariants over it, faults to make."""
