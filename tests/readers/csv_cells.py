"""Reads a table with Python's csv module and counts the cells that a spreadsheet would take for formulas."""
import csv
import sys

# Columns of dates and numbers may begin with a minus: they hold nobody's text.
FREE = {"date", "start_earliest", "start_latest", "end_earliest", "end_latest", "lat", "lon", "confidence"}

with open(sys.argv[1], newline="", encoding="utf-8") as file:
    reader = csv.DictReader(file, strict=True)
    rows = list(reader)
widths = {len(row) for row in rows}
formulas = sum(
    value[:1] in ("=", "+", "-", "@", "\t", "\r")
    for row in rows
    for name, value in row.items()
    if name not in FREE
)
print(f"{len(rows)} rows of {'/'.join(map(str, sorted(widths)))} cells, {formulas} formulas")
