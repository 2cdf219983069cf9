"""Fuzzing of everything that reads what strangers send: with hypothesis among the tests, longer with `make fuzz`."""
