"""Figures as files: pages, small pictures, animations, films, and how templates make them look."""
