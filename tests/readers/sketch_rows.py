"""Takes rows as Timesketch's reader of JSON Lines does — the mandatory fields, the date, the label list — and compares
their instants with the bounds that Annals gives."""
import datetime
import json
import sys

from dateutil import parser
from days import truth

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
with open(sys.argv[1], encoding="utf-8") as file:
    for line in file:
        row = json.loads(line)
        rows += 1
        assert all(isinstance(row[field], str) and row[field] for field in MANDATORY), row
        instant = parser.parse(row["datetime"])
        assert instant.utcoffset() == datetime.timedelta(0), row["datetime"]
        assert row["timestamp"] == (instant - EPOCH) // datetime.timedelta(microseconds=1), row
        assert isinstance(row.get("tag", []), list)
        event = known[row["event_id"]]
        assert row["edtf"] == event["date"]
        places = [NAMES[row["timestamp_desc"]]] if row["timestamp_desc"] in NAMES else [("start", "earliest")]
        seen.setdefault(row["event_id"], set()).update((*place, instant) for place in places)
for name, found in seen.items():
    meant = bounds(known[name])
    missing = {instant for _, _, instant in meant} - {instant for _, _, instant in found}
    assert found <= meant and not missing, (name, found, meant)
print(f"{rows} rows of {len(seen)} events, all bounds as Annals has them, {len(known) - len(seen)} left out")
