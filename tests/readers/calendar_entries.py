"""Reads a calendar with icalendar and compares its entries with what Annals says of them."""
import datetime
import sys
from urllib.parse import unquote

import icalendar
from days import is_drawn, truth, visible

known = truth(sys.argv[2])
with open(sys.argv[1], "rb") as file:
    raw = file.read()
assert raw.endswith(b"END:VCALENDAR\r\n") and raw.count(b"\n") == raw.count(b"\r\n")
longest = max(len(line) for line in raw.split(b"\r\n"))
entries = [entry for entry in icalendar.Calendar.from_ical(raw).walk("VEVENT")]
assert not any(entry.errors for entry in entries), [entry.errors for entry in entries]
assert len({str(entry["UID"]) for entry in entries}) == len(entries)

on_their_days = titled = 0
for entry in entries:
    event = known[unquote(str(entry["UID"]).rsplit("@", 1)[0])]
    # icalendar leaves the escapes of a property that it does not know.
    assert str(entry["X-ANNALS-DATE"]).replace("\\,", ",") == event["date"], entry
    assert entry["DTSTAMP"].dt.tzinfo is not None
    start = entry["DTSTART"].dt
    if isinstance(start, datetime.datetime):
        meant = datetime.datetime.fromisoformat(event["date"].replace("Z", "+00:00"))
        on_their_days += start == meant and (start.tzinfo is None) == (meant.tzinfo is None)
    else:
        last = entry["DTEND"].dt - datetime.timedelta(days=1)
        on_their_days += is_drawn(event, start, last)
    titled += visible(str(entry["SUMMARY"])).startswith(visible(event["title"]))
print(f"{len(entries)} entries, {on_their_days} on their days, {titled} with their titles, "
      f"{len(known) - len(entries)} left out, longest line {longest}")
