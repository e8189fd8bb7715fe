"""The ops: one class each, holding all its mathematics."""
