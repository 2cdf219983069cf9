"""The nouns of plotter2 as frozen values, with their grammars and transition tables. No I/O, no clock, no chance."""
