"""Pipelines: steps that are checked as a whole, what several of them share, what need not be run again."""
