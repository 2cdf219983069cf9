"""Values: tables, groups, points and their keys; how they are got at, and kept when they are larger than memory."""
