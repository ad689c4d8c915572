# SPDX-License-Identifier: Apache-2.0
"""A configuration folder that is changed again and again, the way people and broken editors do: `Mutator(folder, rng)`.

next() writes one changed configuration in place, atomically, and returns a Mutation. Each starts from the good one, so
that errors do not pile up; about a third are good ones that differ. restore() puts the first one back.
"""

import collections
import json
import os
import random
import re

OPTIONS = "leadrouter.yaml"
RULES = os.path.join("conf.d", "rules.yaml")

# kind: what was done; file: where; may_be_fixed: a fixed option may have changed, which a reload refuses and a check does not
Mutation = collections.namedtuple("Mutation", "kind file may_be_fixed")

WORDS = ("true", "false", "0", "-1", "99999999999999999999", "null", "", "''", "[]", "{}", "*a", "&a b", "lowest", "4s", "x y",
         "high", "ana", "emea", "2026-02-30", "1e9", "\t", "%", "lead", "lead.sorce", "'", '"', "|", ">-", "[", "}")


class Mutator:
    def __init__(self, folder, rng):
        self.folder, self.rng = folder, rng
        self.good = {}
        for name in (OPTIONS, RULES):
            with open(os.path.join(folder, name), "rb") as f:
                self.good[name] = f.read()
        self.changed = None  # the file that is not the good one at the moment
        self.serial = 0

    def restore(self):
        if self.changed:
            self._write(self.changed, self.good[self.changed])
            self.changed = None

    def next(self, only_rules=False):
        """Only one file differs from the good configuration at any time."""
        rng = self.rng
        name = RULES if only_rules or rng.random() < 0.9 else OPTIONS
        if self.changed not in (None, name):
            self.restore()
        if rng.random() < 0.35:
            kind, data = ("good", self._good_rules()) if name == RULES else self._option()
        else:
            kind = rng.choice(("bytes", "swap", "drop", "double", "section", "cut", "word", "letters", "join"))
            data = getattr(self, "_" + kind)(self.good[name])
            if name == RULES and not self._keeps_clocks(data):
                data += b"\nunfinished: [\n"
        self.changed = name
        self._write(name, data)
        return Mutation(kind, name, name == OPTIONS)

    def _keeps_clocks(self, data):
        """A good configuration in which a grade has lost its clock ends the clocks that run, and nobody is told: the verifier
        cannot know that. So damage to the score is always an error."""
        score = re.search(rb"(?ms)^score:.*?(?=^\S)", self.good[RULES]).group()
        return score in data

    def _write(self, name, data):
        """A reader sees the old file or the new one, never a part."""
        path = os.path.join(self.folder, name)
        beside = os.path.join(self.folder, ".next")
        with open(beside, "wb") as f:
            f.write(data)
        os.rename(beside, path)

    # --- damage

    def _bytes(self, data):
        data = bytearray(data)
        for _ in range(self.rng.choice((1, 1, 1, 2, 8))):
            at = self.rng.randrange(len(data))
            data[at] = self.rng.choice((self.rng.randrange(256), data[at] ^ 1 << self.rng.randrange(8), 0x20, 0x0a))
        return bytes(data)

    def _lines(self, data, change):
        lines = data.splitlines(True)
        change(lines, self.rng.randrange(len(lines)))
        return b"".join(lines)

    def _swap(self, data):
        def change(lines, at):
            other = self.rng.randrange(len(lines))
            lines[at], lines[other] = lines[other], lines[at]
        return self._lines(data, change)

    def _drop(self, data):
        return self._lines(data, lambda lines, at: lines.pop(at))

    def _double(self, data):
        return self._lines(data, lambda lines, at: lines.insert(at, lines[at]))

    def _join(self, data):
        return self._lines(data, lambda lines, at: lines.__setitem__(at, lines[at].rstrip(b"\n")))

    def _section(self, data):
        """Without one top-level section."""
        parts = re.split(rb"(?m)^(?=\S)", data)
        parts.pop(self.rng.randrange(len(parts)))
        return b"".join(parts)

    def _cut(self, data):
        return data[:self.rng.randrange(len(data))]

    def _word(self, data):
        """One word, number or text is another one."""
        found = list(re.finditer(rb"[A-Za-z0-9_.]+", data))
        place = self.rng.choice(found)
        return data[:place.start()] + self.rng.choice(WORDS).encode() + data[place.end():]

    def _letters(self, data):
        """Two letters of a word are exchanged: the commonest mistake."""
        found = [m for m in re.finditer(rb"[A-Za-z_]{4,}", data)]
        place = self.rng.choice(found)
        word = bytearray(place.group())
        at = self.rng.randrange(len(word) - 1)
        word[at], word[at + 1] = word[at + 1], word[at]
        return data[:place.start()] + bytes(word) + data[place.end():]

    # --- good ones

    def _good_rules(self):
        """Numbers, order and names change; every lead is still taken, and nobody is told apart differently."""
        rng, text = self.rng, self.good[RULES].decode()
        self.serial += 1
        for _ in range(rng.choice((1, 2, 3))):
            pattern, new = rng.choice((
                (r"points: \d+", "points: %d" % rng.randrange(100)), (r"weight: \d+", "weight: %d" % rng.randrange(1, 1001)),
                (r"base: \d+", "base: %d" % rng.randrange(60)), (r">= \d+", ">= %d" % rng.randrange(1000)),
                (r"first_response: \d+s", "first_response: %ds" % rng.randrange(3, 9)),
                (r"\['DE', 'FR', 'GB'\]", "['%s']" % rng.choice(("DE", "GB", "FR', 'GB"))), (r"name: asia", "name: asia %d" % self.serial),
                (r"active: false", "active: true"), (r"team: apac", "team: world"), (r'"Chen Wei"', '"陈 %d"' % self.serial)))
            text = re.sub(pattern, lambda _, new=new: new, text, count=1)
        return (text + "# %d\n" % self.serial).encode()

    def _option(self):
        tree = json.loads(self.good[OPTIONS])
        section, name, value = self.rng.choice((
            ("log", "level", "debug"), ("log", "level", "info"), ("log", "format", "json"), ("log", "level", "loud"),
            ("kafka", "session_timeout_ms", 7000), ("kafka", "group", "another"), ("redis", "timeout_ms", 900),
            ("limits", "batch_records", 200), ("limits", "batch_records", 0), ("kafka", "partitions", "one"),
            ("http", "listen", "127.0.0.1:0"), ("nothing", "like", "that")))
        tree.setdefault(section, {})[name] = value
        return "option %s.%s" % (section, name), json.dumps(tree, indent=1).encode()


def seeded(seed):
    return random.Random("mutate %d" % seed)
