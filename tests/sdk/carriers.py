"""What a carrier posts to us, signed and judged by its own library."""

from urllib.parse import urlencode

from plivo.utils.signature_v3 import (
    construct_get_url,
    construct_post_url,
    get_signature_v3,
    validate_v3_signature,
)
from twilio.request_validator import RequestValidator

from server import PLIVO_TOKEN, ROOM, TARGETS, TWILIO_ACCOUNT, TWILIO_TOKEN

Form = list[tuple[str, str]]
Headers = list[tuple[str, str]]

HANDOFF = "ho_01M7Z21QMCMG69WCKJN4BDMX00/1"
# The document of a handoff, and the two of a human whom we call to a room.
ASKED = [
    f"handoff/{HANDOFF}/{TARGETS}",
    f"human/{HANDOFF}/{ROOM}",
    f"human-status/{HANDOFF}/{ROOM}",
    "dead-man",
]
NONCE = "05429567804466091622"


class Repeated(dict[str, list[str]]):
    """Parameters with the interface by which Twilio's library reads repeated names."""

    def getall(self, name: str) -> list[str]:
        return self[name]


class Twilio:
    name = "twilio"
    token = TWILIO_TOKEN
    # What no document names: it is in the number's settings, or told over REST.
    entrances = ["voice", *ASKED]
    exits = ["status"]
    # What documents of these targets have to name.
    named = {"stream-status", "after-dial", "leg", "whisper", "accept", "wait", "message", "media"}
    upgrade_scheme = "wss"

    def form(self, route: str) -> Form:
        common = [
            ("AccountSid", TWILIO_ACCOUNT),
            ("ApiVersion", "2010-04-01"),
            ("CallSid", "CA00000000000000000000000000000001"),
            ("CallStatus", "in-progress"),
            ("Called", "+15550100090"),
            ("Direction", "inbound"),
            ("From", "+15550100011"),
            ("To", "+15550100090"),
        ]
        return common + {
            "accept": [("Digits", "1")],
            "after-dial": [("DialCallStatus", "no-answer"), ("DialBridged", "false")],
            "leg": [("ParentCallSid", "CA00000000000000000000000000000002"), ("SequenceNumber", "1")],
            "message": [("RecordingUrl", "https://api.example.com/RE1"), ("RecordingDuration", "7")],
            "stream-status": [("StreamEvent", "stream-started"), ("StreamSid", "MZ1")],
            "wait": [("QueuePosition", "1"), ("QueueTime", "0")],
        }.get(route, [])

    def signed(self, url: str, form: Form, token: str) -> Headers:
        signature = RequestValidator(token).compute_signature(url, repeated(form))
        return [("X-Twilio-Signature", signature)]

    def signed_upgrade(self, url: str, token: str) -> Headers:
        return self.signed(url, [], token)

    def holds(self, method: str, url: str, form: Form, headers: Headers) -> bool:
        signature = dict(headers).get("X-Twilio-Signature")
        return signature is not None and RequestValidator(self.token).validate(url, repeated(form), signature)

    def well_signed(self, url: str, form: Form) -> dict[str, Headers]:
        """Other signatures that hold."""
        ported = url.replace(".com/", ".com:443/", 1)
        return {"signed with the port": self.signed(ported, form, self.token)}

    def badly_signed(self, url: str, form: Form) -> dict[str, Headers]:
        """Other signatures that do not hold."""
        sha256 = RequestValidator(self.token).compute_signature(url, repeated(form), "HMAC_SHA256")
        return {"signed with another algorithm": [("X-Twilio-Signature", sha256)]}


class Plivo:
    name = "plivo"
    token = PLIVO_TOKEN
    # A human who is called for nobody is asked for no key, so nothing here names where keys are told.
    entrances = ["answer", *ASKED, f"accept/{HANDOFF}/{ROOM}"]
    exits = ["hangup"]
    named = {"stream-status", "after-dial", "leg", "whisper", "wait", "message", "media"}
    # Seen on live calls; the server takes the others too.
    upgrade_scheme = "http"

    def form(self, route: str) -> Form:
        common = [
            ("CallUUID", "7d0c0001-0000-4000-8000-000000000001"),
            ("CallStatus", "in-progress"),
            ("Direction", "inbound"),
            ("From", "15550100011"),
            ("To", "15550100090"),
        ]
        return common + {
            "accept": [("Digits", "1")],
            "after-dial": [("DialStatus", "no-answer"), ("DialRingStatus", "true")],
            "answer": [("Event", "StartApp")],
            "human": [("Event", "StartApp")],
            "leg": [("DialAction", "answer"), ("DialBLegUUID", "7d0c0002-0000-4000-8000-000000000002")],
            "message": [("RecordUrl", "https://media.example.com/1.mp3"), ("RecordingDuration", "7")],
            "stream-status": [("Event", "StartStream"), ("StreamID", "5b1e0000-0000-4000-8000-000000000001")],
        }.get(route, [])

    def signed(self, url: str, form: Form, token: str, nonce: str = NONCE) -> Headers:
        text = construct_post_url(url, repeated(form)).decode()
        return presented(get_signature_v3(token, text, nonce).decode(), nonce)

    def signed_upgrade(self, url: str, token: str) -> Headers:
        text = construct_get_url(url, {}).decode()
        return presented(get_signature_v3(token, text, NONCE).decode(), NONCE)

    def holds(self, method: str, url: str, form: Form, headers: Headers) -> bool:
        had = dict(headers)
        signature = had.get("X-Plivo-Signature-V3") or had.get("X-Plivo-Signature-Ma-V3")
        nonce = had.get("X-Plivo-Signature-V3-Nonce")
        if not signature or not nonce:
            return False
        return validate_v3_signature(method, url, nonce, self.token, signature, repeated(form))

    def well_signed(self, url: str, form: Form) -> dict[str, Headers]:
        [(_, signature), nonce] = self.signed(url, form, self.token)
        return {
            "signed by the main account": [("X-Plivo-Signature-Ma-V3", signature), nonce],
            "signed twice": [("X-Plivo-Signature-V3", f"AAAA=,{signature}"), nonce],
        }

    def badly_signed(self, url: str, form: Form) -> dict[str, Headers]:
        signature, (name, nonce) = self.signed(url, form, self.token)
        return {
            "without a nonce": [signature],
            "with another nonce": [signature, (name, nonce[::-1])],
            "signed as a GET": self.signed_upgrade(url, self.token),
        }


def repeated(form: Form) -> Repeated:
    parameters = Repeated()
    for name, value in form:
        parameters.setdefault(name, []).append(value)
    return parameters


def presented(signature: str, nonce: str) -> Headers:
    return [("X-Plivo-Signature-V3", signature), ("X-Plivo-Signature-V3-Nonce", nonce)]


def encoded(form: Form) -> bytes:
    return urlencode(form).encode()
