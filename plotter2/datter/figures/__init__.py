"""Figures as plain specifications: the words that draw, and the choices an expert would make."""
