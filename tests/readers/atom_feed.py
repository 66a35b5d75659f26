"""Validates an Atom feed against the grammar of RFC 4287, reads it with feedparser, and tells each entry."""
import json
import pathlib
import re
import sys
from html.parser import HTMLParser

import feedparser
import rnc2rng
from lxml import etree

ATOM = "{http://www.w3.org/2005/Atom}"
URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")

# rnc2rng declares the absence of a namespace, too, which XML has no way to say.
grammar = rnc2rng.dumps(rnc2rng.load(str(pathlib.Path(__file__).with_name("atom.rnc")))).replace('xmlns:local=""', "")
schema = etree.RelaxNG(etree.fromstring(grammar.encode()))


def parsed(raw):
    return etree.fromstring(raw, etree.XMLParser(huge_tree=True, resolve_entities=False, no_network=True))


with open(sys.argv[1], "rb") as file:
    raw = file.read()
root = parsed(raw)
schema.assertValid(root)

# The grammar refuses what is none: each of these makes one mistake.
BROKEN = [
    (rb"(?s)<entry>.*?</id>", b"<entry>"),
    (rb"(?s)(<entry>.*?)<title>.*?</title>", rb"\1"),
    (rb"<updated>[^<]*", b"<updated>yesterday"),
    (rb"(<title>)", rb"<title>Two</title>\1"),
    (rb"<name>[^<]*</name>", b""),
    (rb"</feed>", b"<rights>Behind the entries</rights></feed>"),
    (rb"<entry>", b'<entry date="2004">'),
    (rb"<entry>", b"<entry><date>2004</date>"),
    (rb'type="html"', b'type="hypertext"'),
]
for mistake, put in BROKEN:
    broken, count = re.subn(mistake, put, raw, count=1)
    assert count == 1 and not schema.validate(parsed(broken)), (mistake, put)


def only(parent, name):
    (found,) = parent.findall(ATOM + name)
    return found


ids = set()
for part in [root, *root.findall(ATOM + "entry")]:
    assert URI.fullmatch(only(part, "id").text), only(part, "id").text
    assert only(part, "id").text not in ids, "two parts share an id"
    ids.add(only(part, "id").text)
    assert only(part, "title").text.strip()
    for author in part.findall(ATOM + "author"):
        assert only(author, "name").text.strip()
    for link in part.findall(ATOM + "link"):
        assert URI.fullmatch(link.get("href")) and link.get("href").startswith("http"), link.get("href")
    # Without an alternate link an entry has content (4.1.2).
    assert part is root or only(part, "content").get("type") == "html"
# Where a feed names an author, no entry has to (4.1.1).
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
