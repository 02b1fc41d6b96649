"""The integer program: rows, columns and the constraint families, as arrays and in PuLP."""
