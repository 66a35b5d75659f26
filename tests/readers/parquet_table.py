"""Reads a Parquet file with pyarrow and holds it against the CSV of the same events, cell for cell."""
import csv
import json
import re
import sys

import pyarrow as arrow
import pyarrow.parquet as parquet

table = parquet.read_table(sys.argv[1])
schema = table.schema
text, number = arrow.string(), arrow.int64()
for name in ("start_earliest", "start_latest", "end_earliest", "end_latest"):
    assert schema.field(name).type == number, schema.field(name)
assert schema.field("tags").type.value_type == text
assert schema.field("lat").type == arrow.float64()
assert schema.field("recorded_at").type == arrow.timestamp("us", tz="UTC")
assert [field.name for field in schema.field("effects").type.value_type] == ["op", "entity", "attribute", "value", "when"]
assert parquet.ParquetFile(sys.argv[1]).metadata.created_by == "annals"


def seconds(cell):
    """The second on the proleptic Gregorian calendar that a cell of the CSV names."""
    year, month, day, *clock = re.fullmatch(r"Y?(-?\d+)-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)", cell).groups()
    year, month, day = int(year), int(month), int(day)
    # Days from year 0, by counting them: years, leap years, months.
    before = year - 1
    days = year * 365 + before // 4 - before // 100 + before // 400 + 1
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    lengths = [31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    days += sum(lengths[: month - 1]) + day - 1
    hours, minutes, rest = map(int, clock)
    # 1970-01-01 is day 719,528.
    return (days - 719_528) * 86_400 + hours * 3_600 + minutes * 60 + rest


def listed(rows, *fields):
    return [{name: row[name] for name in fields if row[name] is not None} for row in rows]


def names(cell):
    return [name.strip() for name in cell.split(";") if name.strip()]


with open(sys.argv[2], newline="", encoding="utf-8") as file:
    cells = list(csv.DictReader(file, strict=True))
rows = table.to_pylist()
assert len(rows) == len(cells)
bounds = 0
for row, cell in zip(rows, cells):
    for name in ("timeline", "id", "date", "kind", "title", "description", "place", "precision", "extra"):
        assert (row[name] or "") == cell[name], (name, row[name], cell[name])
    for name in ("start_earliest", "start_latest", "end_earliest", "end_latest"):
        assert (row[name + "_text"] or "") == cell[name]
        kind = row[name + "_kind"]
        if cell[name] in ("open", "unknown", ""):
            assert row[name] is None and (kind or "") == cell[name], (name, row)
        else:
            assert kind == "moment" and row[name] == seconds(cell[name]), (name, row[name], cell[name])
            bounds += 1
    for name in ("lat", "lon", "confidence"):
        assert row[name] == (float(cell[name]) if cell[name] else None)
    if cell["actors"].startswith('[{"'):
        assert listed(row["actors"], "name", "role") == json.loads(cell["actors"])
    else:
        assert [actor["name"] for actor in row["actors"]] == names(cell["actors"])
    assert row["tags"] == (json.loads(cell["tags"]) if cell["tags"].startswith('["') else names(cell["tags"]))
    sources = listed(row["sources"], "title", "url", "date", "quote", "locator", "archived", "sha256")
    assert sources == json.loads(cell["sources"] or "[]")
    assert listed(row["links"], "rel", "to") == json.loads(cell["links"] or "[]")
    for mine, theirs in zip(row["effects"], json.loads(cell["effects"] or "[]"), strict=True):
        value = None if mine["value"] is None else json.loads(mine["value"])
        assert (mine["op"], mine["entity"], mine["attribute"]) == tuple(theirs[k] for k in ("op", "entity", "attribute"))
        assert value == theirs.get("value") and mine["when"] == theirs.get("when", "start")
    assert row["seq"] >= row["first_seq"] and row["recorded_at"] is not None and row["recorded_by"]
print(f"{len(rows)} rows, {bounds} finite bounds, {schema.names.index('recorded_by') + 1} columns")
