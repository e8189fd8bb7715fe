"""Looking inside: stepping both ways, breakpoints, watches, edits, records, comparisons."""
