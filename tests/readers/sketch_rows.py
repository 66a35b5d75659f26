"""Takes rows with Timesketch's own reader of JSON Lines and compares their instants with the bounds that Annals gives."""
import datetime
import sys

from dateutil import parser
from days import truth, visible
from timesketch.lib.utils import read_and_validate_jsonl

MANDATORY = ("message", "datetime", "timestamp_desc")
NAMES = {
    "Happened no earlier than": ("start", "earliest"),
    "Happened no later than": ("start", "latest"),
    "Began no earlier than": ("start", "earliest"),
    "Began no later than": ("start", "latest"),
    "Ended no earlier than": ("end", "earliest"),
    "Ended no later than": ("end", "latest"),
}
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def bounds(event):
    """The finite bounds within the years that Timesketch holds, as instants."""
    found = set()
    for side, ends in event.get("bounds", {}).items():
        for end, text in ends.items():
            try:
                found.add((side, end, datetime.datetime.fromisoformat(text + "+00:00")))
            except ValueError:
                pass
    return found


known = truth(sys.argv[2])
rows = 0
seen = {}
with open(sys.argv[1], "rb") as file:
    for row in read_and_validate_jsonl(file):
        rows += 1
        assert all(isinstance(row[field], str) and row[field] for field in MANDATORY), row
        instant = parser.parse(row["datetime"])
        assert instant.utcoffset() == datetime.timedelta(0), row["datetime"]
        assert row["timestamp"] == (instant - EPOCH) // datetime.timedelta(microseconds=1), row
        event = known[row["event_id"]]
        assert list(map(visible, row["tag"])) == list(map(visible, event.get("tags", []))), row["tag"]
        assert row["edtf"] == event["date"]
        places = [NAMES[row["timestamp_desc"]]] if row["timestamp_desc"] in NAMES else [("start", "earliest")]
        seen.setdefault(row["event_id"], set()).update((*place, instant) for place in places)
with open(sys.argv[1], "rb") as file:
    assert rows == sum(1 for _ in file), "Timesketch skips a row"
for name, found in seen.items():
    meant = bounds(known[name])
    missing = {instant for _, _, instant in meant} - {instant for _, _, instant in found}
    assert found <= meant and not missing, (name, found, meant)
print(f"{rows} rows of {len(seen)} events, all bounds as Annals has them, {len(known) - len(seen)} left out")
