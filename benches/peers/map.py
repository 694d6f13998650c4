#!/usr/bin/env python3
"""Makes events of a STIX 2.1 bundle with misp-stix, and prints how many attributes they have: `map.py FILE`."""
import sys

from misp_stix_converter import ExternalSTIX2toMISPParser
from stix2.parsing import parse


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        bundle = parse(file.read(), allow_custom=True, interoperability=True)
    parser = ExternalSTIX2toMISPParser()
    parser.load_stix_bundle(bundle)
    parser.parse_stix_bundle()
    events = parser.misp_event
    events = events if isinstance(events, list) else [events]
    print(sum(len(event.attributes) + sum(len(it.attributes) for it in event.objects) for event in events))


if __name__ == "__main__":
    main()
