"""Reads a calendar with icalendar and writes it again, as a calendar program does."""
import sys

import icalendar

with open(sys.argv[1], "rb") as file:
    calendar = icalendar.Calendar.from_ical(file.read())
with open(sys.argv[2], "wb") as file:
    file.write(calendar.to_ical())
