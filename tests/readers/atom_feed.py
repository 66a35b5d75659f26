"""Checks an Atom feed against the rules of RFC 4287, reads it with feedparser, and tells each entry."""
import json
import re
import sys
import xml.etree.ElementTree as tree
from html.parser import HTMLParser

import feedparser

ATOM = "{http://www.w3.org/2005/Atom}"
# RFC 3339, as section 3.3 wants it.
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")


def only(parent, name):
    (found,) = parent.findall(ATOM + name)
    return found


root = tree.parse(sys.argv[1]).getroot()
assert root.tag == ATOM + "feed"
names = [child.tag for child in root]
# In the grammar the entries follow everything else (4.1.1).
assert names == sorted(names, key=lambda name: name == ATOM + "entry"), "an element follows an entry"
ids = set()
for part in [root, *root.findall(ATOM + "entry")]:
    # An id, a title and a time are there exactly once (4.1.1, 4.1.2).
    assert URI.fullmatch(only(part, "id").text), only(part, "id").text
    assert only(part, "id").text not in ids, "two parts share an id"
    ids.add(only(part, "id").text)
    assert only(part, "title").text.strip()
    assert MOMENT.fullmatch(only(part, "updated").text)
    for author in part.findall(ATOM + "author"):
        assert only(author, "name").text.strip()
    for link in part.findall(ATOM + "link"):
        assert URI.fullmatch(link.get("href")) and link.get("href").startswith("http"), link.get("href")
    for category in part.findall(ATOM + "category"):
        assert category.get("term")
    # Without an alternate link an entry has content (4.1.2).
    assert part is root or only(part, "content").get("type") == "html"
assert root.find(ATOM + "author") is not None


class Tags(HTMLParser):
    """Every tag of a piece of HTML, and every attribute."""

    def __init__(self):
        super().__init__()
        self.tags = set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        for name, value in attrs:
            assert name == "href" and value.startswith("http"), (tag, name, value)


feed = feedparser.parse(sys.argv[1])
assert not feed.bozo, feed.bozo_exception
latest = feed.feed.updated
for entry, element in zip(feed.entries, root.findall(ATOM + "entry"), strict=True):
    tags = Tags()
    tags.feed(only(element, "content").text)
    assert tags.tags <= {"p", "strong", "br", "ul", "li", "a", "blockquote"}, tags.tags
    assert entry.updated <= latest
    point = entry.get("where", {}).get("coordinates")
    print(json.dumps([entry.id, entry.title, entry.updated, entry.get("annals_date"), point]))
