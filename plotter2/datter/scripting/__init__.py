"""Scripts: read ahead, their contract, what is bound, and the words that say who and what."""
