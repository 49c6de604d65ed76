"""Writes a document again with its carrier's own builders: what they do not know is not in it.

Both libraries let everything through by a back door (`**kwargs` and `nest` at Twilio, `to_dict` of a class of
one's own at Plivo). Nothing here goes through it: a name counts as known only if the builder that a
programmer would call names it.
"""

import inspect
import re
import xml.etree.ElementTree as ElementTree

import plivo.exceptions
import plivo.xml
from twilio.twiml import TwiML, lower_camel
from twilio.twiml.voice_response import VoiceResponse

# The keyword that becomes the text of an element. Elements that are not here have none.
TWILIO_TEXT = {
    "Application": "application_sid",
    "ApplicationSid": "sid",
    "Autopilot": "name",
    "Client": "identity",
    "Conference": "name",
    "Dial": "number",
    "Enqueue": "name",
    "Identity": "client_identity",
    "Number": "phone_number",
    "Play": "url",
    "Queue": "name",
    "Redirect": "url",
    "Room": "name",
    "Say": "message",
    "Sim": "sim_sid",
    "Sip": "sip_url",
    "Sms": "message",
    "Task": "body",
    "Uri": "sip_url",
    "WhatsApp": "phone_number",
    "emphasis": "words",
    "lang": "words",
    "p": "words",
    "phoneme": "words",
    "prosody": "words",
    "s": "words",
    "say-as": "words",
    "sub": "words",
    "w": "words",
}

# Attributes that Plivo's pages describe and its library cannot write:
# https://www.plivo.com/docs/voice/xml/ (Dial, Stream), read 2026-11-21. They are named in the output.
PLIVO_PAGES_ALONE = {
    "Stream": {"noiseCancellation", "noiseCancellationLevel"},
    "User": {"sipAuthUsername", "sipAuthPassword"},
}

PLIVO_ELEMENTS = {
    value._name: value
    for value in vars(plivo.xml).values()
    if inspect.isclass(value) and issubclass(value, plivo.xml.PlivoXMLElement) and hasattr(value, "_name")
}

XML_NAMESPACE = "{http://www.w3.org/XML/1998/namespace}"


class Unknown(Exception):
    """Something in a document that the carrier's own builders do not write."""


def twilio(document: bytes) -> list[str]:
    """Rebuilds TwiML. Nothing in it is known from the pages alone."""
    root = root_of(document)
    if root.attrib:
        raise Unknown(f"<Response {next(iter(root.attrib))}>")
    response = VoiceResponse()
    fill_twilio(response, root)
    same(document, response.to_xml())
    return []


def fill_twilio(parent: TwiML, ours: ElementTree.Element) -> None:
    for child in ours:
        method = twilio_method(parent, child.tag, ours.tag)
        keywords = named_keywords(method)
        text = TWILIO_TEXT.get(child.tag)
        given = {}
        for attribute, value in spelled(child):
            keyword = next((k for k in keywords if k != text and twilio_attribute(k) == attribute), None)
            if keyword is None:
                raise Unknown(f"<{child.tag} {attribute}>")
            given[keyword] = value
        if has_text(child.text):
            if text is None:
                raise Unknown(f"text in <{child.tag}>")
            given[text] = child.text
        for keyword, parameter in keywords.items():
            if parameter.default is inspect.Parameter.empty and keyword not in given:
                raise Unknown(f"<{child.tag}> without its {keyword}")
        built = method(**given)
        if built.name != child.tag:
            raise Unknown(f"<{child.tag}>, which is written <{built.name}>")
        fill_twilio(built, child)
        if has_text(child.tail):
            if ours.tag not in TWILIO_TEXT:
                raise Unknown(f"text in <{ours.tag}>")
            parent.append(child.tail)


def twilio_method(parent: TwiML, name: str, parent_name: str):
    """The method of a builder that writes a child. Those of every builder alike write anything."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).replace("-", "_").lower()
    for method in (snake, snake + "_"):
        if hasattr(type(parent), method) and not hasattr(TwiML, method):
            return getattr(parent, method)
    raise Unknown(f"<{name}> in <{parent_name}>")


def twilio_attribute(keyword: str) -> str:
    return lower_camel(TwiML.MAP.get(keyword, keyword))


def plivo_xml(document: bytes) -> list[str]:
    """Rebuilds Plivo's XML. Gives what is known from the pages alone."""
    root = root_of(document)
    pages_alone = []
    for element in root.iter():
        for attribute in sorted(PLIVO_PAGES_ALONE.get(element.tag, set()) & set(element.attrib)):
            pages_alone.append(f"<{element.tag} {attribute}>")
            del element.attrib[attribute]
    same(ElementTree.tostring(root), build_plivo(root).to_string(pretty=False))
    return pages_alone


def build_plivo(ours: ElementTree.Element) -> plivo.xml.PlivoXMLElement:
    element = PLIVO_ELEMENTS.get(ours.tag)
    if element is None:
        raise Unknown(f"<{ours.tag}>")
    keywords = named_keywords(element)
    text = "content" if "content" in keywords else None
    # Some write defaults for what is not given, and nothing for what is None.
    given = {keyword: None for keyword in keywords}
    if has_text(ours.text):
        if text is None:
            raise Unknown(f"text in <{ours.tag}>")
        given[text] = ours.text
    named = {}
    for attribute, value in spelled(ours):
        keyword = plivo_keyword(ours.tag, attribute)
        if keyword is None:
            raise Unknown(f"<{ours.tag} {attribute}>")
        named[keyword] = attribute
        given[keyword] = value
    required = {k for k, p in keywords.items() if p.default is inspect.Parameter.empty}
    for keyword in required:
        if given[keyword] is None and not (keyword == text and len(ours)):
            raise Unknown(f"<{ours.tag}> without its {keyword}")
    # Each is judged beside those that were, and what is required. All that is required is text.
    typed = {k: v if k in required or k == text else None for k, v in given.items()}
    for keyword, attribute in sorted(named.items(), key=lambda item: item[0] not in required):
        typed[keyword] = taken_by_plivo(element, typed, keyword, attribute, given[keyword])
    built = element(**typed)
    for child in ours:
        if has_text(child.tail):
            raise Unknown(f"text after <{child.tag}> in <{ours.tag}>")
        try:
            built.add(build_plivo(child))
        except plivo.exceptions.PlivoXMLError:
            raise Unknown(f"<{child.tag}> in <{ours.tag}>") from None
    return built


def plivo_keyword(name: str, attribute: str) -> str | None:
    """The keyword of an attribute. The libraries' own spellings differ; `taken_by_plivo` judges ours."""
    letters = re.sub(r"[^a-z]", "", attribute.lower())
    keywords = named_keywords(PLIVO_ELEMENTS[name])
    return next((k for k in keywords if k != "content" and k.replace("_", "").lower() == letters), None)


def taken_by_plivo(element, given: dict, keyword: str, attribute: str, value: str):
    """The value, as the type with which the builder writes what stands in our document."""
    candidates: list[object] = [value]
    if value in ("true", "false"):
        candidates.append(value == "true")
    if re.fullmatch(r"0|[1-9][0-9]*", value):
        candidates.append(int(value))
    for candidate in candidates:
        try:
            written = element(**given | {keyword: candidate}).to_dict()
        except (plivo.exceptions.ValidationError, ValueError, TypeError):
            continue
        if written.get(attribute.replace("xml:", XML_NAMESPACE)) == value:
            return candidate
    raise Unknown(f"<{element._name} {attribute}={value!r}>")


def root_of(document: bytes) -> ElementTree.Element:
    root = ElementTree.fromstring(document)
    if root.tag != "Response":
        raise Unknown(f"<{root.tag}> as root")
    return root


def same(ours: bytes, theirs: str) -> None:
    ours, theirs = (ElementTree.canonicalize(text, strip_text=True) for text in (ours, theirs))
    if ours != theirs:
        raise Unknown(f"something that is written otherwise:\n    ours   {ours}\n    theirs {theirs}")


def named_keywords(builder) -> dict[str, inspect.Parameter]:
    parameters = inspect.signature(builder).parameters
    return {k: p for k, p in parameters.items() if p.kind is not inspect.Parameter.VAR_KEYWORD}


def spelled(element: ElementTree.Element) -> list[tuple[str, str]]:
    return [(name.replace(XML_NAMESPACE, "xml:"), value) for name, value in element.attrib.items()]


def has_text(text: str | None) -> bool:
    return bool(text and text.strip())
