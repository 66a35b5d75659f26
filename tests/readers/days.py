"""The days of an event as Annals has them, for targets that know the years 1 to 9999."""
import datetime
import json
import re


def day(bound):
    """The day of a bound; nothing for an open or unknown one and for years that Python cannot hold."""
    try:
        return datetime.date.fromisoformat(bound.split("T")[0])
    except ValueError:
        return None


def truth(path):
    """The events by id, with the first and the last day of what is to be drawn; a side that nothing bounds has none."""
    events = {}
    with open(path, encoding="utf-8") as file:
        for event in json.load(file):
            if "bounds" in event:
                start, end = event["bounds"]["start"], event["bounds"]["end"]
                event["first"] = day(start["earliest"]) or day(end["earliest"])
                event["last"] = day(end["latest"]) or day(start["latest"])
            events[event["id"]] = event
    return events


def is_drawn(event, first, last):
    """Whether a drawing from one day to another is that of an event: its days, or on an open side the part of a year
    that ends or begins there."""
    is_short = first <= last < first + datetime.timedelta(days=366)
    if event["first"] is None:
        return last == event["last"] and is_short
    if event["last"] is None:
        return first == event["first"] and is_short
    return (first, last) == (event["first"], event["last"])


HIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]")


def visible(text):
    """A text without white space and with its hidden characters written out, as exports have them."""
    shown = HIDDEN.sub(lambda match: f"\\u{{{ord(match[0]):x}}}", text)
    return "".join(shown.split())
