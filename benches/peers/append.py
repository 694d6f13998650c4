#!/usr/bin/env python3
"""Does to a MISP what a script over PyMISP does, one command a line: `append.py URL KEY`.

Each line of standard input is a command; each is answered with a line once it is done, so that whoever counts the
bytes knows when. What an event holds is what the system has that the data comes from: PyMISP keeps nothing itself.

  make EVENTS ATTRIBUTES    new events, by add_event
  whole MORE                the newest event with so many attributes more, by update_event of all of it
  compare MORE              the same by get_event, a comparison, and add_attribute of what is not there
  blind MORE                the same by add_attribute alone
  again                     all events, unchanged, by update_event
  look                      all events, unchanged, by get_event and a comparison
"""
import hashlib
import sys
import uuid
import warnings

from pymisp import MISPAttribute, MISPEvent, PyMISP

warnings.filterwarnings("ignore")


class Source:
    """An event as the source has it."""

    made = 0

    def __init__(self, attributes):
        Source.made += 1
        self.uuid = str(uuid.uuid5(uuid.NAMESPACE_URL, "event-%d" % Source.made))
        self.values = []
        self.grow(attributes)

    def grow(self, more):
        for _ in range(more):
            text = "%s/%d" % (self.uuid, len(self.values))
            self.values.append(hashlib.sha256(text.encode()).hexdigest())

    def attribute(self, value):
        attribute = MISPAttribute()
        attribute.from_dict(type="sha256", value=value, to_ids=True,
                            uuid=str(uuid.uuid5(uuid.NAMESPACE_URL, self.uuid + value)))
        return attribute

    def event(self):
        event = MISPEvent()
        event.uuid, event.info, event.distribution = self.uuid, "Intrusion", 0
        event.analysis, event.threat_level_id = 2, 2
        for value in self.values:
            event.add_attribute("sha256", value, to_ids=True,
                                uuid=str(uuid.uuid5(uuid.NAMESPACE_URL, self.uuid + value)))
        return event


def check(answer):
    if isinstance(answer, dict) and "errors" in answer:
        sys.exit("MISP refused: %s" % str(answer["errors"])[:300])
    return answer


def missing(misp, source):
    there = {it.value for it in check(misp.get_event(source.uuid, pythonify=True)).attributes}
    return [value for value in source.values if value not in there]


def do(misp, sources, command, numbers):
    if command == "make":
        del sources[:]
        for _ in range(numbers[0]):
            sources.append(Source(numbers[1]))
            check(misp.add_event(sources[-1].event()))
        return
    if command in ("whole", "compare", "blind"):
        source, known = sources[-1], len(sources[-1].values)
        source.grow(numbers[0])
        if command == "whole":
            check(misp.update_event(source.event()))
            return
        values = missing(misp, source) if command == "compare" else source.values[known:]
        check(misp.add_attribute(source.uuid, [source.attribute(value) for value in values]))
        return
    for source in sources:
        if command == "again":
            check(misp.update_event(source.event()))
        elif missing(misp, source):
            sys.exit("%s is not whole" % source.uuid)


def main():
    misp, sources = PyMISP(sys.argv[1], sys.argv[2]), []
    print("ready", flush=True)
    for line in sys.stdin:
        command, *numbers = line.split()
        do(misp, sources, command, [int(number) for number in numbers])
        print("done", flush=True)


if __name__ == "__main__":
    main()
