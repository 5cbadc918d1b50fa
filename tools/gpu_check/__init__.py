"""What only a machine with a GPU can check: the same tests on it, and times."""
