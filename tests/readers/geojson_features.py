"""Checks a GeoJSON file against a schema of RFC 7946 and of the Linked Places `when`, and tells each feature."""
import json
import re
import sys

import jsonschema

# Written from RFC 7946, sections 1.4, 3.1.1 to 3.1.2, 3.2, 3.3 and 4, as far as points go.
POSITION = {
    "type": "array",
    "minItems": 2,
    "maxItems": 2,
    "prefixItems": [
        {"type": "number", "minimum": -180, "maximum": 180},
        {"type": "number", "minimum": -90, "maximum": 90},
    ],
}
# A day or a date-time, with a year of four digits or more and a minus before year 0.
MOMENT = {"type": "string", "pattern": r"^-?\d{4,}-\d\d-\d\d(T\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)?)?$"}
BOUNDS = {
    "type": "object",
    "properties": {"in": MOMENT, "earliest": MOMENT, "latest": MOMENT},
    "additionalProperties": False,
}
SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["type", "features"],
    "not": {"anyOf": [{"required": [name]} for name in ("crs", "coordinates", "geometry", "properties")]},
    "properties": {
        "type": {"const": "FeatureCollection"},
        "features": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["type", "geometry", "properties"],
                "not": {"anyOf": [{"required": ["features"]}, {"required": ["coordinates"]}]},
                "properties": {
                    "type": {"const": "Feature"},
                    "id": {"type": ["string", "number"]},
                    "geometry": {
                        "oneOf": [
                            {"type": "null"},
                            {
                                "type": "object",
                                "required": ["type", "coordinates"],
                                "properties": {"type": {"const": "Point"}, "coordinates": POSITION},
                                "additionalProperties": False,
                            },
                        ]
                    },
                    "properties": {"type": ["object", "null"], "required": ["title"]},
                    "when": {
                        "type": "object",
                        "required": ["timespans"],
                        "properties": {
                            "timespans": {
                                "type": "array",
                                "minItems": 1,
                                "items": {
                                    "type": "object",
                                    "required": ["start"],
                                    "properties": {"start": BOUNDS, "end": BOUNDS},
                                    "additionalProperties": False,
                                },
                            },
                            "label": {"type": "string"},
                        },
                    },
                },
            },
        },
    },
}

with open(sys.argv[1], encoding="utf-8") as file:
    collection = json.load(file)
jsonschema.Draft202012Validator.check_schema(SCHEMA)
jsonschema.validate(collection, SCHEMA, cls=jsonschema.Draft202012Validator)
features = collection["features"]
assert len({feature["id"] for feature in features}) == len(features), "two features share an id"


def bound(span, end, which):
    return span[end].get(which, "-")


for feature in features:
    spans = feature.get("when", {}).get("timespans", [])
    told = "; ".join(
        " ".join(bound(span, end, which) for end in ("start", "end") for which in ("earliest", "latest"))
        for span in spans
    )
    point = feature["geometry"] and feature["geometry"]["coordinates"]
    assert not re.search(r"\d\d:60", told)
    print(json.dumps([feature["properties"]["id"], feature["properties"].get("date"), told, point]))
