#!/usr/bin/env python3
"""Has the carriers' own libraries sign requests to the built server, and alters them.

    python3 tests/sdk/signatures.py target/debug/handoff

The server has to take what the library signed, and to refuse with 403 whatever was altered after that. Its
verdict is compared with that of the library's own validator too. The URLs are those of its own documents, from
the answer to a new call onwards.
"""

import pathlib
import signal
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from carriers import Form, Headers, Plivo, Twilio, encoded
from server import PUBLIC_URL, Answer, Server, running

WITHIN = 60
LEAST = 40
MEDIA_URL = PUBLIC_URL.replace("https", "wss")

# Everything that is spelled in more than one way, or covers nothing.
MORE: Form = [
    ("Empty", ""),
    ("FromCity", "MÜNCHEN"),
    ("Plus", "+1 555+0100"),
    ("Signs", "a&b=c;d%41 \"e\" <f> \\ /?#"),
    ("SpeechResult", "einen Menschen, bitte 😀 我要人工"),
    ("Thrice", "2"),
    ("Thrice", "1"),
    ("Thrice", "2"),
    ("lower", "first in no list of capitals"),
    ("with space+plus", "in the name"),
]
# In ASCII: on anything else Plivo's libraries for Python and Node disagree.
QUERY = "?tenant=t1&empty=&note=a%20b%2Bc+d"
WEBSOCKET: Headers = [
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("Sec-WebSocket-Version", "13"),
]


@dataclass
class Attempt:
    """A request, and whether its signature covers it."""

    what: str
    holds: bool
    target: str
    headers: Headers
    form: Form = field(default_factory=list)
    method: str = "POST"
    scheme: str = "https"


def main() -> int:
    signal.signal(signal.SIGALRM, out_of_time)
    signal.alarm(WITHIN)
    wrong = []
    counts = []
    with running(pathlib.Path(sys.argv[1]).resolve()) as server:
        for carrier in (Twilio(), Plivo()):
            right = judge(carrier, server, wrong)
            counts.append(f"{carrier.name} {right[True]} accepted, {right[False]} refused")
            if right.total() < LEAST:
                wrong.append(f"{carrier.name}: {right.total()} requests only")
    for line in wrong:
        print(f"FAILED {line}")
    print(f"signatures: {'; '.join(counts)}; {len(wrong)} wrong")
    return 1 if wrong else 0


def judge(carrier: Twilio | Plivo, server: Server, wrong: list[str]) -> Counter[bool]:
    """Walks through the documents of a carrier's calls and ends them. Counts what went as it must, by whether
    it had to be accepted."""
    right = Counter()
    targets = deque(f"/{carrier.name}/{entrance}" for entrance in carrier.entrances)
    seen = set(targets)
    named = set()
    exits = [f"/{carrier.name}/{exit}" for exit in carrier.exits]
    while targets or exits:
        target = targets.popleft() if targets else exits.pop()
        route = target.split("/")[2]
        is_socket = route == "media"
        attempts = upgrades(carrier, target) if is_socket else posts(carrier, target, carrier.form(route))
        for attempt in attempts:
            answer = ask(server, attempt)
            found_wrong = [f"{target} {attempt.what}: {fault}" for fault in faults(carrier, attempt, answer)]
            wrong.extend(found_wrong)
            right[attempt.holds] += not found_wrong
            for found in urls(answer):
                named.add(found.split("/")[2])
                if found not in seen:
                    seen.add(found)
                    targets.append(found)
        print(f"{'/'.join(target.split('/')[:3])}: {right[True]} accepted and {right[False]} refused so far")
    wrong.extend(f"{carrier.name}: no document names {route}" for route in sorted(carrier.named - named))
    return right


def posts(carrier: Twilio | Plivo, target: str, form: Form) -> Iterator[Attempt]:
    url = PUBLIC_URL + target
    sign = carrier.signed
    right = sign(url, form, carrier.token)
    more = form + MORE
    name, value = form[-1]

    yield Attempt("as it is", True, target, right, form)
    yield Attempt("with a query", True, target + QUERY, sign(url + QUERY, form, carrier.token), form)
    yield Attempt("with more", True, target, sign(url, more, carrier.token), more)
    yield Attempt("in another order", True, target, sign(url, more, carrier.token), more[::-1])
    for what, headers in carrier.well_signed(url, form).items():
        yield Attempt(what, True, target, headers, form)

    yield Attempt("with another value", False, target, right, form[:-1] + [(name, altered(value))])
    yield Attempt("with another name", False, target, right, form[:-1] + [(altered(name), value)])
    yield Attempt("with a parameter added", False, target, right, form + [("Digits2", "")])
    yield Attempt("with a parameter left out", False, target, right, form[:-1])
    yield Attempt("with a plus for a space", False, target, sign(url, more, carrier.token), pluses(more))
    yield Attempt("with another path", False, target, sign(altered(url), form, carrier.token), form)
    yield Attempt("with a query added", False, target + "?a=b", right, form)
    queried = sign(url + QUERY, form, carrier.token)
    yield Attempt("with another query", False, target + altered(QUERY), queried, form)
    yield Attempt("without its query", False, target, queried, form)
    elsewhere = url.replace("example.com", "example.org")
    yield Attempt("for another host", False, target, sign(elsewhere, form, carrier.token), form)
    plain = url.replace("https", "http", 1)
    yield Attempt("for another scheme", False, target, sign(plain, form, carrier.token), form)
    yield Attempt("by another token", False, target, sign(url, form, altered(carrier.token)), form)
    (header, signature), *rest = right
    yield Attempt("with one letter of it changed", False, target, [(header, other(signature)), *rest], form)
    yield Attempt("with none", False, target, rest, form)
    yield Attempt("with an empty one", False, target, [(header, ""), *rest], form)
    for what, headers in carrier.badly_signed(url, form).items():
        yield Attempt(what, False, target, headers, form)


def upgrades(carrier: Twilio | Plivo, target: str) -> Iterator[Attempt]:
    url = MEDIA_URL.replace("wss", carrier.upgrade_scheme, 1) + target
    sign = carrier.signed_upgrade
    for what, holds, headers in [
        ("as it is", True, sign(url, carrier.token)),
        ("with another path", False, sign(altered(url), carrier.token)),
        ("for another host", False, sign(url.replace("example.com", "example.org"), carrier.token)),
        ("by another token", False, sign(url, altered(carrier.token))),
    ]:
        yield Attempt(what, holds, target, headers + WEBSOCKET, method="GET", scheme=carrier.upgrade_scheme)


def ask(server: Server, attempt: Attempt) -> Answer:
    if attempt.method == "GET":
        return server.ask("GET", attempt.target, attempt.headers + [("Host", "127.0.0.1")])
    headers = [*attempt.headers, ("Content-Type", "application/x-www-form-urlencoded")]
    return server.ask("POST", attempt.target, headers, encoded(attempt.form))


def faults(carrier: Twilio | Plivo, attempt: Attempt, answer: Answer) -> Iterator[str]:
    url = f"{attempt.scheme}://{PUBLIC_URL.partition('://')[2]}{attempt.target}"
    if carrier.holds(attempt.method, url, attempt.form, attempt.headers) != attempt.holds:
        yield f"the library {'refuses' if attempt.holds else 'takes'} it itself"
    if not attempt.holds:
        if answer.status != 403:
            yield f"answered {answer.status}, not 403"
    elif attempt.method == "GET":
        if answer.status != 101:
            yield f"answered {answer.status}, not 101"
    elif answer.status == 200:
        if not answer.content_type.startswith("text/xml"):
            yield f"answered with {answer.content_type}"
        elif ElementTree.fromstring(answer.body).tag != "Response":
            yield "answered with something other than <Response>"
    elif answer.status != 204:
        yield f"answered {answer.status}: {answer.body.decode(errors='replace')}"


def urls(answer: Answer) -> Iterator[str]:
    """What a document names of ours, as the carrier asks for it: without a fragment."""
    if answer.status != 200:
        return
    for element in ElementTree.fromstring(answer.body).iter():
        for text in [element.text or "", *element.attrib.values()]:
            for ours in (PUBLIC_URL, MEDIA_URL):
                if text.startswith(ours + "/"):
                    yield text.removeprefix(ours).partition("#")[0]


def altered(text: str) -> str:
    """The same with one other byte, its last."""
    return text[:-1] + ("a" if text[-1] != "a" else "b")


def other(signature: str) -> str:
    """The same with its first letter changed: the last one has bits that mean nothing."""
    return ("A" if signature[0] != "A" else "B") + signature[1:]


def pluses(form: Form) -> Form:
    return [(name, value.replace(" ", "+")) for name, value in form]


def out_of_time(*_: object) -> None:
    raise TimeoutError(f"not done within {WITHIN} s")


if __name__ == "__main__":
    sys.exit(main())
