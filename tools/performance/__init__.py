"""The page of measured times, its pictures, and README's table, from the results of a machine."""
