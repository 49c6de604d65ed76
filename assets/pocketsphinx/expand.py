#!/usr/bin/env python3
"""Expands templates.txt to lines.txt, the text that the language model is counted from.

    python3 assets/pocketsphinx/expand.py

Standard library only; the choice among the combinations is random but seeded, so a second run
writes the same lines.
"""

import pathlib
import random
import re

HERE = pathlib.Path(__file__).resolve().parent
USUAL = 24


def read():
    slots, templates = {}, []
    for line in (HERE / "templates.txt").read_text().splitlines():
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("@"):
            name, choices = line[1:].split("=", 1)
            slots[name.strip()] = [choice.strip() for choice in choices.split("|")]
        else:
            most, text = re.fullmatch(r"(?:\*(\d+) )?(.*)", line).groups()
            templates.append((int(most or USUAL), text))
    return slots, templates


def choose(text, slots, rng):
    """Fills one template: slots first, so that what they bring may hold alternatives too."""
    while match := re.search(r"<(\w+)>", text):
        text = text[: match.start()] + rng.choice(slots[match[1]]) + text[match.end() :]
    while match := re.search(r"\(([^()]*)\)", text):
        text = text[: match.start()] + rng.choice(match[1].split("|")) + text[match.end() :]
    return " ".join(text.replace("i 'd", "i'd").split())


def main():
    slots, templates = read()
    lines = []
    seen = set()
    for number, (most, text) in enumerate(templates):
        rng = random.Random(f"{number}/{text}")
        made = 0
        for _ in range(most * 5):
            line = choose(text, slots, rng)
            if line not in seen:
                seen.add(line)
                lines.append(line)
                made += 1
            if made == most:
                break
    (HERE / "lines.txt").write_text("".join(line + "\n" for line in lines))
    print(f"{len(templates)} templates, {len(lines)} lines, {len({w for l in lines for w in l.split()})} words")


if __name__ == "__main__":
    main()
