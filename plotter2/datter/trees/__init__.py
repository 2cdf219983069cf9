"""Many instances of one run: the words of tasks and ownership, and how they reach the ledger and come back."""
