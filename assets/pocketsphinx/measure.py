#!/usr/bin/env python3
"""Measures the models on phrases.txt, spoken by four flite voices and coded as mu-law.

    apt-get install -y --no-install-recommends flite sox libpocketsphinx3 pocketsphinx-en-us
    python3 assets/pocketsphinx/measure.py [-v] [-lw=9 …]

Synthetic voices, no line noise: an upper bound. Arguments with `=` go to the decoder. Each decoder
hears four phrases, as a caller might say in one call, each as one utterance.
"""

import ctypes
import pathlib
import random
import re
import struct
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "fixtures"))
import make  # noqa: E402

VOICES = ("rms", "awb", "slt", "kal16")
PERSON = (
    r"\b(human(?! resources| error)|person(?! who)|somebody|someone|representatives?|agents?(?! told)"
    r"|operator|manager|supervisor|customer (support|service))\b"
)
ASKS = re.compile(
    r"\b(talk|speak|get|give|put|connect|transfer|need|want|let|asking|could|enough)\b.*" + PERSON + "|^operator"
)


def expanded(code):
    code = ~code & 0xFF
    magnitude = ((((code & 15) << 3) + 132) << ((code >> 4) & 7)) - 132
    return -magnitude if code & 0x80 else magnitude


def spoken(voice, text):
    """One phrase between 0.3 s of near silence, over mu-law, at 16 kHz."""
    rng = random.Random(f"{voice}/{text}")
    samples = [0] * 2400 + make.speak(voice, text, 1.0) + [0] * 2400
    narrow = [expanded(make.mulaw(sample + rng.gauss(0, 8))) for sample in samples]
    form = "-t raw -e signed -b 16 -c 1 -r".split()
    return subprocess.run(
        ["sox", "-D", *form, "8000", "-", *form, "16000", "-", "rate", "-v"],
        input=struct.pack(f"<{len(narrow)}h", *narrow),
        stdout=subprocess.PIPE,
        check=True,
    ).stdout


class Decoder:
    def __init__(self, options):
        base = ctypes.CDLL("libsphinxbase.so.3", mode=ctypes.RTLD_GLOBAL)
        self.library = ctypes.CDLL("libpocketsphinx.so.3")
        base.err_set_logfp(None)
        for library, name in ((base, "cmd_ln_init"), (self.library, "ps_args"), (self.library, "ps_init")):
            getattr(library, name).restype = ctypes.c_void_p
        self.library.ps_get_hyp.restype = ctypes.c_char_p
        pairs = [ctypes.c_char_p(text.encode()) for pair in options.items() for text in pair]
        definitions = ctypes.c_void_p(self.library.ps_args())
        config = base.cmd_ln_init(None, definitions, 1, *pairs, None)
        self.decoder = ctypes.c_void_p(self.library.ps_init(ctypes.c_void_p(config)))
        assert self.decoder, "no decoder"

    def words(self, samples):
        self.library.ps_start_utt(self.decoder)
        for at in range(0, len(samples), 3200):
            part = samples[at : at + 3200]
            self.library.ps_process_raw(self.decoder, part, ctypes.c_size_t(len(part) // 2), 0, 0)
        self.library.ps_end_utt(self.decoder)
        return (self.library.ps_get_hyp(self.decoder, None) or b"").decode()

    def __del__(self):
        self.library.ps_free(self.decoder)


def errors(said, heard):
    """Word edits from one to the other (Levenshtein)."""
    said, heard = said.split(), heard.split()
    row = list(range(len(heard) + 1))
    for at, word in enumerate(said, 1):
        above, row = row, [at]
        for column, other in enumerate(heard, 1):
            row.append(min(above[column] + 1, row[-1] + 1, above[column - 1] + (word != other)))
    return row[-1]


def main():
    options = {
        "-hmm": "/usr/share/pocketsphinx/model/en-us/en-us",
        "-featparams": str(HERE / "telephone.params"),
        "-lm": str(HERE / "handoff.arpa"),
        "-dict": str(HERE / "handoff.dict"),
        "-lw": "9",
        "-fwdflat": "no",
        "-bestpath": "no",
        "-remove_silence": "no",
    }
    options.update(argument.split("=", 1) for argument in sys.argv[1:] if "=" in argument)
    lines = [line.split(" ", 1) for line in (HERE / "phrases.txt").read_text().splitlines() if line[0] != "#"]
    model = {line.strip() for line in (HERE / "lines.txt").read_text().splitlines()}
    assert not any(text in model for _, text in lines), "a phrase is a line of the language model"
    wrong, words, asked = {}, {}, {}
    for voice in VOICES:
        for at, (kind, text) in enumerate(lines):
            if at % 4 == 0:
                decoder = Decoder(options)
            heard = decoder.words(spoken(voice, text))
            asks = bool(ASKS.search(heard))
            for key in (voice, kind):
                wrong[key] = wrong.get(key, 0) + errors(text, heard)
                words[key] = words.get(key, 0) + len(text.split())
            asked[kind] = asked.get(kind, 0) + asks
            if "-v" in sys.argv:
                print(voice, kind, "asks" if asks else "    ", text, "->", heard)
    print("word error rate:", ", ".join(f"{key} {wrong[key] / words[key]:.2f}" for key in wrong))
    spoken_of = {kind: len(VOICES) * sum(k == kind for k, _ in lines) for kind in asked}
    print("taken for a request:", ", ".join(f"{kind} {asked[kind]}/{spoken_of[kind]}" for kind in asked))


if __name__ == "__main__":
    main()
