#!/usr/bin/env python3
"""Builds handoff.arpa and handoff.dict from lines.txt and Debian's pocketsphinx-en-us.

    apt-get install -y --no-install-recommends libsphinxbase3 pocketsphinx-en-us
    python3 assets/pocketsphinx/build.py

The model is `SHARE` of a trigram model counted from our lines (interpolated Witten-Bell) and the
rest of the general model of pocketsphinx-en-us, cut to our words plus its own commonest. The
general part gives words that are none of ours somewhere else to go than to a word of ours.
Standard library only; libsphinxbase is loaded to ask the general model for its probabilities.
"""

import collections
import ctypes
import math
import pathlib

HERE = pathlib.Path(__file__).resolve().parent
MODEL = pathlib.Path("/usr/share/pocketsphinx/model/en-us")
COMMON_WORDS = 3000  # of the general model, in addition to the words of our lines
GENERAL_BIGRAMS = 14000  # of the general model, those that matter most
SHARE = 0.6
LEAST_TRIGRAM = 2  # trigrams seen less often are left to their bigrams
# Common words that a wrong guess must not put into a caller's mouth.
NOT_GUESSED = set("ass asshole bitch dick fuck fucked fucking gay rape sex sexual shit shitty".split())
BEGIN, END, UNKNOWN = "<s>", "</s>", "<UNK>"


class General:
    """The general language model, asked through libsphinxbase."""

    def __init__(self):
        base = ctypes.CDLL("libsphinxbase.so.3")
        base.err_set_logfp.argtypes = [ctypes.c_void_p]
        base.err_set_logfp(None)
        base.logmath_init.restype = ctypes.c_void_p
        base.logmath_init.argtypes = [ctypes.c_double, ctypes.c_int, ctypes.c_int]
        base.ngram_model_read.restype = ctypes.c_void_p
        base.ngram_model_read.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_void_p]
        base.ngram_wid.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
        base.ngram_unknown_wid.argtypes = [ctypes.c_void_p]
        base.ngram_word.argtypes = [ctypes.c_void_p, ctypes.c_int]
        base.ngram_word.restype = ctypes.c_char_p
        base.ngram_model_get_counts.argtypes = [ctypes.c_void_p]
        base.ngram_model_get_counts.restype = ctypes.POINTER(ctypes.c_uint32)
        for name, words in (("ngram_bg_score", 2), ("ngram_tg_score", 3)):
            getattr(base, name).argtypes = (
                [ctypes.c_void_p] + [ctypes.c_int] * words + [ctypes.POINTER(ctypes.c_int)]
            )
        self.base_of_logs = 1.0001
        logs = base.logmath_init(self.base_of_logs, 0, 0)
        self.model = base.ngram_model_read(None, str(MODEL / "en-us.lm.bin").encode(), 2, logs)
        assert self.model, "the general model cannot be read"
        self.base = base
        self.used = ctypes.c_int()
        self.unknown = base.ngram_unknown_wid(self.model)

    def words(self):
        count = self.base.ngram_model_get_counts(self.model)[0]
        return [self.base.ngram_word(self.model, number).decode() for number in range(count)]

    def number(self, word):
        return self.base.ngram_wid(self.model, word.encode())

    def score(self, history, word):
        """Probability of the word number after the history's numbers (latest last), and the order used."""
        used = ctypes.byref(self.used)
        if len(history) == 2:
            log = self.base.ngram_tg_score(self.model, word, history[1], history[0], used)
        elif len(history) == 1:
            log = self.base.ngram_bg_score(self.model, word, history[0], used)
        else:
            # An unknown word as history has no bigrams and no weight: what is left is the unigram.
            log = self.base.ngram_bg_score(self.model, word, self.unknown, used)
        return self.base_of_logs**log, self.used.value


def pronunciations():
    entries = collections.defaultdict(list)
    for line in (MODEL / "cmudict-en-us.dict").read_text().splitlines():
        if line.strip():
            word, phones = line.split(None, 1)
            entries[word.split("(")[0]].append((word, phones))
    return entries


class Counted:
    """An interpolated Witten-Bell model of our lines over a given unigram floor."""

    def __init__(self, lines, floor):
        self.floor = floor
        self.count = collections.Counter()
        self.after = collections.defaultdict(set)
        self.total = collections.Counter()
        for line in lines:
            words = [BEGIN, *line.split(), END]
            for at in range(1, len(words)):
                for order in (0, 1, 2):
                    if at >= order:
                        history = tuple(words[at - order : at])
                        self.count[history + (words[at],)] += 1
                        self.total[history] += 1
                        self.after[history].add(words[at])

    def probability(self, history, word):
        lower = self.probability(history[1:], word) if history else self.floor(word)
        total, kinds = self.total[history], len(self.after[history])
        if not total:
            return lower
        return (self.count[history + (word,)] + kinds * lower) / (total + kinds)


def main():
    lines = (HERE / "lines.txt").read_text().splitlines()
    entries = pronunciations()
    own = {word for line in lines for word in line.split()}
    missing = sorted(own - entries.keys())
    assert not missing, f"not in the dictionary: {missing}"

    general = General()
    guessed = [word for word in general.words() if word in entries and word not in NOT_GUESSED]
    ranked = sorted(((general.score((), general.number(word))[0], word) for word in guessed), reverse=True)
    words = sorted(own | {word for _, word in ranked[:COMMON_WORDS]})
    number = {word: general.number(word) for word in [*words, BEGIN, END]}
    known = {word for word in number if number[word] != general.unknown}
    in_general = {word: general.score((), number[word])[0] if word in known else 0.0 for word in [*words, END]}
    mass = sum(in_general.values())

    def general_probability(history, word):
        """The general model within our words (its lost mass is made good by `mass`)."""
        if word not in known:
            return 0.0
        heard = tuple(number[h] for h in history) if all(h in known for h in history) else ()
        return min(0.9, general.score(heard, number[word])[0] / mass)

    counted = Counted(lines, lambda word: in_general.get(word, 0.0) / mass * 0.98 + 0.02 / (len(words) + 1))

    def mixed(history, word):
        return SHARE * counted.probability(history, word) + (1 - SHARE) * general_probability(history, word)

    bigrams = {gram for gram in counted.count if len(gram) == 2}
    scored = []
    for before in [BEGIN, *words]:
        if before not in known:
            continue
        weight = in_general.get(before, in_general[END]) / mass
        for word in [*words, END]:
            if word in known and (before, word) not in bigrams and not (before == BEGIN and word == END):
                probability, used = general.score((number[before],), number[word])
                if used == 2 and probability > in_general[word]:
                    gain = weight * probability * math.log(probability / in_general[word])
                    scored.append((gain, (before, word)))
    scored.sort(reverse=True)
    bigrams |= {gram for _, gram in scored[:GENERAL_BIGRAMS]}
    trigrams = {
        gram
        for gram, count in counted.count.items()
        if len(gram) == 3 and count >= LEAST_TRIGRAM and gram[:2] in bigrams and gram[1:] in bigrams
    }

    unigram = {word: mixed((), word) for word in [*words, END]}
    scale = 1 / sum(unigram.values())
    unigram = {word: probability * scale for word, probability in unigram.items()}
    bigram = collections.defaultdict(dict)
    for before, word in sorted(bigrams):
        bigram[before][word] = mixed((before,), word)
    trigram = collections.defaultdict(dict)
    for first, second, word in sorted(trigrams):
        trigram[first, second][word] = mixed((first, second), word)

    def left_over(explicit, lower):
        """The weight that makes the probabilities after a history sum to one."""
        total = sum(explicit.values())
        if total > 0.98:
            for word in explicit:
                explicit[word] *= 0.98 / total
            total = 0.98
        return (1 - total) / max(1e-6, 1 - sum(map(lower, explicit)))

    weight = {before: left_over(after, unigram.__getitem__) for before, after in bigram.items()}

    def after_one(before, word):
        return bigram[before].get(word) or weight[before] * unigram[word]

    weight2 = {
        history: left_over(after, lambda word: after_one(history[1], word)) for history, after in trigram.items()
    }

    def line(probability, gram, backoff=None):
        tail = "" if backoff is None else f" {math.log10(backoff):.3f}"
        return f"{math.log10(probability):.3f} {gram}{tail}\n"

    with open(HERE / "handoff.arpa", "w") as arpa:
        arpa.write("\\data\\\n")
        arpa.write(f"ngram 1={len(unigram) + 2}\nngram 2={len(bigrams)}\nngram 3={len(trigrams)}\n\n\\1-grams:\n")
        arpa.write(f"-99 {UNKNOWN} 0\n" + f"-99 {BEGIN} {math.log10(weight[BEGIN]):.3f}\n")
        for word in sorted(unigram):
            arpa.write(line(unigram[word], word, weight.get(word, 1.0)))
        arpa.write("\n\\2-grams:\n")
        for before in sorted(bigram):
            for word in sorted(bigram[before]):
                arpa.write(line(bigram[before][word], f"{before} {word}", weight2.get((before, word), 1.0)))
        arpa.write("\n\\3-grams:\n")
        for first, second in sorted(trigram):
            for word in sorted(trigram[first, second]):
                arpa.write(line(trigram[first, second][word], f"{first} {second} {word}"))
        arpa.write("\n\\end\\\n")
    (HERE / "handoff.dict").write_text(
        "".join(f"{spelled} {phones}\n" for word in words for spelled, phones in entries[word])
    )
    for name in ("handoff.arpa", "handoff.dict"):
        print(f"{name}: {(HERE / name).stat().st_size // 1024} KiB")
    print(f"{len(words)} words, {len(bigrams)} bigrams, {len(trigrams)} trigrams from {len(lines)} lines")


if __name__ == "__main__":
    main()
