"""Shows that the builders refuse what their carrier does not know, and take all that it does.

`KNOWN` has every element and attribute of the carriers' pages that their libraries can write, and that a
handoff may need; what only the pages have has to be unknown, so that a library that learns it is noticed.
"""

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator

from builders import PLIVO_PAGES_ALONE, Unknown, plivo_keyword

# A document and what has to be said of it.
REFUSED = {
    "twilio": [
        ('<Dial loudness="9"><Number>1</Number></Dial>', "<Dial loudness>"),
        ("<Ring>1</Ring>", "<Ring> in <Response>"),
        ("<Speak>1</Speak>", "<Speak> in <Response>"),
        ("<Number>1</Number>", "<Number> in <Response>"),
        ("<Say><Dial>1</Dial></Say>", "<Dial> in <Say>"),
        ("<Gather><Hangup/></Gather>", "<Hangup> in <Gather>"),
        ("<Start><Redirect>https://a.example</Redirect></Start>", "<Redirect> in <Start>"),
        ("<Refer><Number>1</Number></Refer>", "<Number> in <Refer>"),
        ('<Refer><Sip username="a">sip:a@b.example</Sip></Refer>', "<Sip username>"),
        # It belongs on the nouns.
        ('<Dial statusCallback="https://a.example"><Number>1</Number></Dial>', "<Dial statusCallback>"),
        ('<Dial callerid="1"/>', "<Dial callerid>"),
        ('<Dial caller_id="1"/>', "<Dial caller_id>"),
        ('<Dial><Number phoneNumber="1">1</Number></Dial>', "<Number phoneNumber>"),
        ("<Dial><Number/></Dial>", "<Number> without its phone_number"),
        ("<dial/>", "<dial>, which is written <Dial>"),
        # What every builder has writes anything.
        ("<Append/>", "<Append> in <Response>"),
        ("<AddChild/>", "<AddChild> in <Response>"),
        ("<Hangup>now</Hangup>", "text in <Hangup>"),
        ("<Gather><Say>a</Say>b</Gather>", "text in <Gather>"),
        # On the pages, and not in the library.
        ('<Dial callReason="a"/>', "<Dial callReason>"),
        ('<Dial><Client clientNotificationUrl="a">a</Client></Dial>', "<Client clientNotificationUrl>"),
    ],
    "plivo": [
        ('<Dial loudness="9"><Number>1</Number></Dial>', "<Dial loudness>"),
        ("<Ring>1</Ring>", "<Ring>"),
        ("<Say>1</Say>", "<Say>"),
        ("<Number>1</Number>", "<Number> in <Response>"),
        ("<Dial><Speak>1</Speak></Dial>", "<Speak> in <Dial>"),
        ("<GetInput><Hangup/></GetInput>", "<Hangup> in <GetInput>"),
        ('<Dial callerid="1"/>', "<Dial callerid='1'>"),
        ('<Dial caller_id="1"/>', "<Dial caller_id='1'>"),
        ('<Dial redirect="perhaps"/>', "<Dial redirect='perhaps'>"),
        ('<Dial timeout="soon"/>', "<Dial timeout='soon'>"),
        ('<Stream audioTrack="all">wss://a.example</Stream>', "<Stream audioTrack='all'>"),
        ('<Stream content="wss://a.example"/>', "<Stream content>"),
        ('<MultiPartyCall role="bot">a</MultiPartyCall>', "<MultiPartyCall role='bot'>"),
        ('<MultiPartyCall role="agent" mute="1">a</MultiPartyCall>', "<MultiPartyCall mute='1'>"),
        ('<MultiPartyCall role="agent" waitTime="-1">a</MultiPartyCall>', "<MultiPartyCall waitTime='-1'>"),
        ("<MultiPartyCall>a</MultiPartyCall>", "<MultiPartyCall> without its role"),
        ("<Hangup>now</Hangup>", "text in <Hangup>"),
        ("<GetInput><Speak>a</Speak>b</GetInput>", "text after <Speak> in <GetInput>"),
        ('<Response/>', "<Response> in <Response>"),
    ],
}

KNOWN = {
    "twilio": """
<Start action="https://a.example" method="POST">
  <Stream url="wss://a.example" name="a" track="both_tracks" statusCallback="https://a.example"
          statusCallbackMethod="POST"><Parameter name="a" value="b"/></Stream>
</Start>
<Stop><Stream name="a"/></Stop>
<Say voice="Polly.Joanna" language="en-US" loop="2">One <emphasis level="strong">moment</emphasis>, please.
  <break strength="weak" time="1s"/><say-as interpret-as="telephone" format="us">1</say-as>
  <lang xml:lang="en-GB">a</lang><p>a</p><s>a</s><w role="noun">a</w><sub alias="b">a</sub>
  <phoneme alphabet="ipa" ph="a">a</phoneme><prosody volume="loud" rate="slow" pitch="high">a</prosody></Say>
<Play loop="2" digits="w1">https://a.example/a.mp3</Play>
<Pause length="2"/>
<Gather input="dtmf speech" action="https://a.example" method="POST" timeout="5" finishOnKey="" numDigits="1"
        speechTimeout="auto" maxSpeechTime="5" partialResultCallback="https://a.example"
        partialResultCallbackMethod="POST" language="en-US" hints="a, b" bargeIn="true"
        actionOnEmptyResult="true" speechModel="default" enhanced="false" profanityFilter="false">
  <Say>a</Say><Play>https://a.example/a.mp3</Play><Pause length="1"/>
</Gather>
<Dial action="https://a.example" method="POST" timeout="25" timeLimit="600" answerOnBridge="true" callerId="+1"
      hangupOnStar="false" record="record-from-answer-dual" recordingStatusCallback="https://a.example"
      recordingStatusCallbackMethod="POST" recordingStatusCallbackEvent="completed" recordingTrack="both"
      recordingConfigurationId="a" trim="do-not-trim" referUrl="https://a.example" referMethod="POST"
      ringTone="gb" sequential="true" events="a" passports="a">
  <Number sendDigits="wW1#" url="https://a.example" method="POST" byoc="BY1" statusCallback="https://a.example"
          statusCallbackMethod="POST" statusCallbackEvent="initiated ringing answered completed"
          machineDetection="Enable" machineDetectionTimeout="30" machineDetectionSpeechThreshold="2400"
          machineDetectionSpeechEndThreshold="1200" machineDetectionSilenceTimeout="5000"
          amdStatusCallback="https://a.example" amdStatusCallbackMethod="POST">+1</Number>
  <Sip username="a" password="b" url="https://a.example" method="POST" statusCallback="https://a.example"
       statusCallbackMethod="POST" statusCallbackEvent="answered" machineDetection="DetectMessageEnd"
       machineDetectionTimeout="30" machineDetectionSpeechThreshold="2400"
       machineDetectionSpeechEndThreshold="1200" machineDetectionSilenceTimeout="5000"
       amdStatusCallback="https://a.example" amdStatusCallbackMethod="POST">sip:a@b.example?x-a=b</Sip>
  <Sip><Uri priority="1" weight="2">sip:a@b.example</Uri><Headers><Header name="a" value="b"/></Headers></Sip>
  <Client url="https://a.example" method="POST" statusCallback="https://a.example" statusCallbackMethod="POST"
          statusCallbackEvent="answered">
    <Identity>ann</Identity><Parameter name="a" value="b"/>
  </Client>
  <Client>ann</Client>
</Dial>
<Dial>
  <Conference muted="false" beep="onEnter" startConferenceOnEnter="true" endConferenceOnExit="false"
              participantLabel="a" jitterBufferSize="small" waitUrl="" waitMethod="POST" maxParticipants="2"
              record="record-from-start" region="us1" trim="trim-silence" coach="CA1"
              statusCallback="https://a.example" statusCallbackMethod="POST" statusCallbackEvent="start end"
              recordingStatusCallback="https://a.example" recordingStatusCallbackMethod="POST"
              recordingStatusCallbackEvent="completed" eventCallbackUrl="https://a.example">a</Conference>
</Dial>
<Dial><Queue url="https://a.example" method="POST" reservationSid="WR1" postWorkActivitySid="WA1">a</Queue></Dial>
<Dial>+1</Dial>
<Enqueue action="https://a.example" method="POST" waitUrl="https://a.example" waitUrlMethod="POST"
         maxQueueSize="9">a</Enqueue>
<Enqueue workflowSid="WW1"><Task priority="5" timeout="300">{"a": "b"}</Task></Enqueue>
<Refer action="https://a.example" method="POST"><Sip>sip:a@b.example?x-a=b</Sip></Refer>
<Record action="https://a.example" method="POST" timeout="5" finishOnKey="#" maxLength="120" playBeep="true"
        trim="trim-silence" recordingStatusCallback="https://a.example" recordingStatusCallbackMethod="POST"
        recordingStatusCallbackEvent="completed" transcribe="true" transcribeCallback="https://a.example"/>
<Connect action="https://a.example" method="POST"><Stream url="wss://a.example"/></Connect>
<Leave/>
<Reject reason="busy"/>
<Redirect method="POST">https://a.example</Redirect>
<Hangup/>
""",
    "plivo": """
<Stream bidirectional="false" audioTrack="both" contentType="audio/x-mulaw;rate=8000" keepCallAlive="true"
        streamTimeout="600" statusCallbackUrl="https://a.example" statusCallbackMethod="POST"
        extraHeaders="a=b">wss://a.example</Stream>
<Speak voice="Polly.Joanna" language="en-US" loop="2">a</Speak>
<Speak><break strength="weak" time="1s"/><emphasis level="strong">a</emphasis><lang xml:lang="en-GB">a</lang>
  <p>a</p><s>a</s><w role="noun">a</w><sub alias="b">a</sub><phoneme alphabet="ipa" ph="a">a</phoneme>
  <prosody volume="loud" rate="slow" pitch="high">a</prosody>
  <say-as interpret-as="telephone" format="us">1</say-as></Speak>
<Play loop="2">https://a.example/a.mp3</Play>
<Wait length="5" silence="true" minSilence="3" beep="true"/>
<PreAnswer><Speak>a</Speak><Wait length="1"/></PreAnswer>
<DTMF async="false">12w3#</DTMF>
<Message src="1" dst="2" type="sms" callbackUrl="https://a.example" callbackMethod="POST">a</Message>
<GetInput action="https://a.example" method="POST" inputType="dtmf" executionTimeout="10" digitEndTimeout="2"
          speechEndTimeout="2" finishOnKey="#" numDigits="1" speechModel="default" hints="a,b" language="en-US"
          interimSpeechResultsCallback="https://a.example" interimSpeechResultsCallbackMethod="POST" log="true"
          redirect="true" profanityFilter="false"><Speak>a</Speak><Play>https://a.example</Play></GetInput>
<GetDigits action="https://a.example" method="POST" timeout="5" digitTimeout="2" finishOnKey="#" numDigits="1"
           retries="1" redirect="true" playBeep="false" validDigits="12" invalidDigitsSound="https://a.example"
           log="true"><Speak>a</Speak></GetDigits>
<Dial action="https://a.example" method="POST" redirect="false" hangupOnStar="false" timeLimit="600" timeout="25"
      callerId="15550100002" callerName="a" confirmSound="https://a.example" confirmKey="1" confirmTimeout="30"
      dialMusic="real" callbackUrl="https://a.example" callbackMethod="POST" digitsMatch="1" digitsMatchBLeg="2"
      sipHeaders="a=b">
  <Number sendDigits="wW1#" sendOnPreanswer="false" sendDigitsMode="inband">1</Number>
  <User sendDigits="1" sendOnPreanswer="true" sipHeaders="a=b">sip:a@b.example</User>
</Dial>
<Conference muted="false" enterSound="beep:1" exitSound="beep:2" startConferenceOnEnter="true"
            endConferenceOnExit="false" stayAlone="true" waitSound="https://a.example" maxMembers="2"
            record="true" recordFileFormat="mp3" timeLimit="600" hangupOnStar="false" action="https://a.example"
            method="POST" callbackUrl="https://a.example" callbackMethod="POST" digitsMatch="1"
            floorEvent="false" redirect="true" relayDTMF="true" transcriptionType="auto"
            transcriptionUrl="https://a.example" transcriptionMethod="POST">a</Conference>
<MultiPartyCall role="customer" maxDuration="300" maxParticipants="2" waitMusicUrl="https://a.example"
                waitMusicMethod="GET" agentHoldMusicUrl="https://a.example" agentHoldMusicMethod="GET"
                customerHoldMusicUrl="https://a.example" customerHoldMusicMethod="GET" record="false"
                recordFileFormat="wav" recordingCallbackUrl="https://a.example" recordingCallbackMethod="POST"
                statusCallbackEvents="mpc-state-changes,participant-state-changes"
                statusCallbackUrl="https://a.example" statusCallbackMethod="POST" stayAlone="false"
                coachMode="true" mute="false" hold="false" startMpcOnEnter="true" endMpcOnExit="true"
                enterSound="none" enterSoundMethod="GET" exitSound="beep:2" exitSoundMethod="GET"
                onExitActionUrl="https://a.example" onExitActionMethod="POST"
                relayDTMFInputs="false">a</MultiPartyCall>
<Record action="https://a.example" method="POST" fileFormat="mp3" redirect="true" timeout="15" maxLength="120"
        playBeep="true" finishOnKey="#" recordSession="false" startOnDialAnswer="false" transcriptionType="auto"
        transcriptionUrl="https://a.example" transcriptionMethod="POST" callbackUrl="https://a.example"
        callbackMethod="POST" recordChannelType="stereo"/>
<Redirect method="POST">https://a.example</Redirect>
<Hangup reason="busy" schedule="60"/>
""",
}


def failures(rebuild: dict[str, Callable[[bytes], list[str]]]) -> Iterator[str]:
    """What did not go as it must."""
    for carrier, cases in REFUSED.items():
        for document, expected in cases:
            try:
                rebuild[carrier](response(document))
            except Unknown as reason:
                if str(reason) != expected:
                    yield f"{carrier}: {document} was refused for {reason}, not for {expected}"
            else:
                yield f"{carrier}: {document} was taken"
        try:
            rebuild[carrier](response(KNOWN[carrier]))
        except (Unknown, ElementTree.ParseError) as reason:
            yield f"{carrier}: what is known was refused for {reason}"
    for name, attributes in PLIVO_PAGES_ALONE.items():
        for attribute in attributes:
            if plivo_keyword(name, attribute) is not None:
                yield f"plivo: <{name} {attribute}> is in the library, not on the pages alone"


def response(verbs: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{verbs}</Response>'.encode()
