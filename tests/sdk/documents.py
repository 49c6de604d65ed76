#!/usr/bin/env python3
"""Has the carriers' own libraries write every golden document again, and compares.

    python3 tests/sdk/documents.py

Fails if an element, a nesting, an attribute or a value is none that their builders know, or if they write it
otherwise. `shown` shows first that this can fail.
"""

import pathlib
import sys
import xml.etree.ElementTree as ElementTree

import shown
from builders import Unknown, plivo_xml, twilio

CARRIERS = pathlib.Path(__file__).resolve().parents[2] / "src" / "carrier"
REBUILD = {"twilio": twilio, "plivo": plivo_xml}


def main() -> int:
    failures = [f"self-test: {failure}" for failure in shown.failures(REBUILD)]
    rebuilt = 0
    pages_alone = []
    for carrier, rebuild in REBUILD.items():
        goldens = sorted((CARRIERS / carrier / "golden").glob("*.xml"))
        if not goldens:
            failures.append(f"no golden document of {carrier}")
        for path in goldens:
            name = f"{carrier}/{path.stem}"
            try:
                from_pages = rebuild(path.read_bytes())
            except (Unknown, ElementTree.ParseError) as reason:
                failures.append(f"{name}: {reason}")
                continue
            rebuilt += 1
            pages_alone += from_pages
            print(f"{name}: rebuilt" + "".join(f", {known} from the pages alone" for known in from_pages))
    for failure in failures:
        print(f"FAILED {failure}")
    known = f", {len(pages_alone)} attributes known from the pages alone" if pages_alone else ""
    print(f"documents: {rebuilt} rebuilt, {len(failures)} unknown{known}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
