"""Reads JSON-LD with rdflib, without a network, and tells what its triples say of each event."""
import json
import socket
import sys

import rdflib
from rdflib.namespace import RDF, XSD


def refuse(*_):
    raise OSError("this file is read without a network")


socket.socket.connect = refuse

SCHEMA = rdflib.Namespace("https://schema.org/")
PROV = rdflib.Namespace("http://www.w3.org/ns/prov#")
EDTF = rdflib.URIRef("http://id.loc.gov/datatypes/edtf/EDTF")
DATE = rdflib.URIRef("http://purl.org/dc/terms/date")
ANNALS = rdflib.Namespace("tag:annals.invalid,2026:terms/")

graph = rdflib.Graph()
graph.parse(sys.argv[1], format="json-ld")


def one(subject, predicate):
    values = list(graph.objects(subject, predicate))
    assert len(values) <= 1, (subject, predicate, values)
    return values[0] if values else None


def text(value):
    return None if value is None else str(value)


told = []
for event in graph.subjects(RDF.type, SCHEMA.Event):
    assert (event, RDF.type, PROV.Entity) in graph
    date = one(event, DATE)
    assert date is None or date.datatype == EDTF, date
    start, end = one(event, SCHEMA.startDate), one(event, SCHEMA.endDate)
    for value in (start, end):
        assert value is None or value.datatype in (XSD.gYear, XSD.gYearMonth, XSD.date, XSD.dateTime), value
    sources = list(graph.objects(event, SCHEMA.citation))
    for source in sources:
        assert (source, RDF.type, SCHEMA.CreativeWork) in graph
        assert (event, PROV.wasDerivedFrom, source) in graph
        for url in graph.objects(source, SCHEMA.url):
            assert str(url).startswith(("http://", "https://")), url
    (version,) = graph.subjects(PROV.specializationOf, event)
    recorded = one(version, PROV.generatedAtTime)
    assert recorded.datatype == XSD.dateTime
    place = one(event, SCHEMA.location)
    geo = place and one(place, SCHEMA.geo)
    point = geo and [one(geo, SCHEMA.latitude), one(geo, SCHEMA.longitude)]
    assert not point or all(part.datatype == XSD.decimal for part in point), point
    effects = one(event, ANNALS.effects)
    told.append([
        text(one(event, SCHEMA.identifier)),
        text(date),
        text(start),
        text(end),
        len(sources),
        point and [str(part) for part in point],
        effects is not None and len(json.loads(str(effects))),
        sorted(str(link).rsplit("/", 1)[1] for link in graph.objects(event, rdflib.URIRef("tag:annals.invalid,2026:rel/caused-by"))),
        text(one(version, PROV.wasRevisionOf)) is not None,
    ])
for line in sorted(told):
    print(json.dumps(line))
