#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# rig: own-broker
"""Bad input never stops good input and is never lost (design.md law 8): every hostile record ends in leads.rejected with its
bytes, its key, its headers and a stable code; the good leads between them are decided as if they were alone."""

import collections
import json
import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from rig import broker, contract, testing  # noqa: E402
from rig.testing import check, equal  # noqa: E402
from rig.world import World, lead  # noqa: E402

RSS_KIB_MAX = 400 * 1024
HEADERS = [("x-trace", b"abc"), ("x-trace", b"twice"), ("x-empty", b""), ("x-null", None), ("x-bytes", b"\x00\xff")]

SYNTAX = "bad_json"
# Texts that are no JSON, most of them in the manner of JSONTestSuite's n_*.json.
NOT_JSON = [
    b"{", b"}", b"[", b"]", b"{]", b"[}", b",", b":", b"{,}", b"[,]", b"{\"a\"}", b"{\"a\":}", b"{:1}", b"{\"a\" 1}", b"{\"a\"::1}",
    b"{\"a\":1,}", b"{\"a\":1,,\"b\":2}", b"{,\"a\":1}", b"{\"a\":1 \"b\":2}", b"{'a':1}", b"{a:1}", b"{1:1}", b"{null:1}",
    b"{\"a\":1}}", b"{\"a\":1}{", b"{\"a\":1}{\"a\":1}", b"{\"a\":1} x", b"{\"a\":1}#", b"{\"a\":1}//c", b"{\"a\":/*c*/1}",
    b"{\"a\":1", b"{\"a\":\"b", b"{\"a\":[1", b"[1,]", b"[1,,2]", b"[1 2]", b"[1;2]", b"[\"a\",\n4\n,1,", b"[\x0b]",
    b"{\"a\":tru}", b"{\"a\":True}", b"{\"a\":nul}", b"{\"a\":NULL}", b"{\"a\":undefined}", b"{\"a\":NaN}", b"{\"a\":Infinity}",
    b"{\"a\":-Infinity}", b"{\"a\":nan}", b"{\"a\":+1}", b"{\"a\":01}", b"{\"a\":-01}", b"{\"a\":-}", b"{\"a\":--1}", b"{\"a\":1.}",
    b"{\"a\":.5}", b"{\"a\":-.5}", b"{\"a\":1.e1}", b"{\"a\":1e}", b"{\"a\":1e+}", b"{\"a\":1E-}", b"{\"a\":1eE2}", b"{\"a\":0x1F}",
    b"{\"a\":1_000}", b"{\"a\":1+2}", b"{\"a\":1 000}", b"{\"a\":0e}", b"{\"a\":2.e+3}", b"{\"a\":\xef\xbc\x91}", b"{\"a\":(1)}",
    b"{\"a\":\"\t\"}", b"{\"a\":\"\n\"}", b"{\"a\":\"\x1f\"}", b"{\"a\":\"\\x41\"}", b"{\"a\":\"\\u12\"}", b"{\"a\":\"\\u12G4\"}",
    b"{\"a\":\"\\\"}", b"{\"a\":\"\\u\"}", b"{\"a\":\"\\U0041\"}", b"{\"a\":\"\\a\"}", b"{\"a\":\"\\'\"}", b"{\"a\":\"\\\t\"}",
    b"{\"a\":'b'}", b"{\"a\":b}", b"<lead/>", b"lead: 1", b"%PDF-1.4", b"GIF89a", b"---\nlead: 1\n", b"(function(){})()", b"/", b"\\",
    b"\"", b"'", b"`", b"{\"a\":\"b\"c}", b"{\"a\":\"b\"\"c\"}", b"[\"a\"", b"{\"a\":{}", b"[[[[", b"{{{{", b"]]]]", b"[}]", b"*",
    b"\xef\xbb\xbf{}", b"{\"a\":1}\x0c", b"\x0c{}", b"{\"a\":1\xc2\xa0}", b"{\"a\":\xe2\x80\x9cb\xe2\x80\x9d}",
]
LONE_SURROGATES = [b"{\"a\":\"\\ud800\"}", b"{\"a\":\"\\udc00\"}", b"{\"a\":\"\\ud800\\ud800\"}", b"{\"a\":\"\\ud800x\"}",
                   b"{\"a\":\"\\ud83d\\u0041\"}"]
NOT_UTF8 = [b"\xff", b"{\"a\":\"\xff\"}", b"{\"a\":\"\xc0\xaf\"}", b"{\"a\":\"\xed\xa0\x80\"}", b"{\"a\":\"\xf4\x90\x80\x80\"}",
            b"{\"a\":\"\xf8\x88\x80\x80\x80\"}", b"{\"a\":\"\xc3\"}", b"{\"a\":\"\xe2\x82\"}", b"{\"\xfe\":1}", b"\xff\xfe{\x00}\x00",
            b"\xfe\xff\x00{\x00}", b"{\"a\":\"\x80\"}", "{\"a\":\"ä\"}".encode("latin-1"), "{\"a\":\"你\"}".encode("gb18030"),
            "{\"a\":\"あ\"}".encode("shift-jis")]
NULS = [b"\x00", b"{\"a\":\"b\x00c\"}", b"{\"a\":1}\x00", b"\x00" * 5000]
NOT_OBJECTS = [b"[]", b"[1]", b"1", b"-0", b"\"lead\"", b"true", b"null", b"1e5", b"[[]]", b"[{}]", b" 1 "]
DUPLICATES = [b"{\"a\":1,\"a\":1}", b"{\"a\":{\"b\":1,\"b\":2}}", b"{\"contact\":{},\"contact\":{\"email\":\"a@b.example\"}}",
              b"{\"a\":1,\"\\u0061\":2}", b"[{\"a\":1,\"a\":2}]"]
DEEP = [b"[" * 100000, b"[" * 100000 + b"]" * 100000, b"{\"a\":" * 100000 + b"1" + b"}" * 100000, b"[" * 17 + b"]" * 17,
        b"{\"a\":" * 20 + b"1" + b"}" * 20, b"[{\"a\":" * 5000]
BIG = [b"{\"a\":\"" + b"x" * 1000000 + b"\"}", b" " * 1000000, b"\x00" * 1000000, b"{\"contact\":{\"email\":\"a@b.example\"}," +
       b"\"attributes\":{\"a\":\"" + b"y" * (1 << 20) + b"\"}}", b"[" * 1000000, b"9" * 70000]
MANY = [b"[" + b"1," * 3000 + b"1]", b"{" + b",".join(b"\"k%d\":%d" % (i, i) for i in range(3000)) + b"}"]


def with_contact(**more):
    value = {"contact": {"email": "a@customer.example"}}
    value.update(more)
    return json.dumps(value).encode()


WRONG_TYPES = [with_contact(**{name: value}) for name, value in (
    ("lead_id", 1), ("lead_id", ["L1"]), ("source", {}), ("source", True), ("contact", "me"), ("contact", []), ("contact", 7),
    ("contact", {"email": 1}), ("contact", {"email": ["a@b.example"]}), ("contact", {"phone": 49301234567}),
    ("contact", {"email": {}}), ("company", "ACME"), ("company", {"employees": "many"}), ("company", {"employees": 1.5}),
    ("company", {"employees": True}), ("location", "Bonn"), ("location", {"country": 49}), ("location", {"postal_code": 53111}),
    ("interest", []), ("interest", {"budget": "lots"}), ("interest", {"budget": {"amount": "1"}}), ("captured_at", 1795298715026),
    ("tenant", 5), ("consent", "yes"), ("attributes", [1]), ("intent", 3))]
HUGE_NUMBERS = [with_contact(company={"employees": 1}).replace(b": 1}", b": %s}" % number) for number in (
    b"1" * 400, b"1e400", b"-1e400", b"1e-400", b"9223372036854775808", b"-9223372036854775809", b"-1", b"1" + b"0" * 5000)]
# (records, codes that are right for them)
GROUPS = [
    (NOT_JSON, {SYNTAX}), (LONE_SURROGATES, {SYNTAX, "bad_utf8"}), (NOT_UTF8, {"bad_utf8"}), (NULS, {"bad_utf8"}),
    (NOT_OBJECTS, {"not_an_object"}), (DUPLICATES, {"duplicate_key"}), (DEEP, {"too_deep", "too_large"}),
    (BIG, {"too_large"}), (MANY, {"too_many_values"}), (WRONG_TYPES, {"wrong_field_type", "bad_time"}),
    (HUGE_NUMBERS, {SYNTAX, "field_out_of_range", "wrong_field_type", "field_too_long"}),
    ([b"", None], {"empty_record"}),
    ([b"{}", b"{\"contact\":{}}", b"{\"contact\":null}", b"{\"lead\":{\"contact\":{\"email\":\"a@b.example\"}}}"], {"no_contact"}),
    ([with_contact(lead_id=text) for text in ("a b", "\u00e4", "a/b", "{lr:0}", "a\nb", "\u0000")], {"bad_lead_id", "bad_utf8"}),
    ([with_contact(lead_id="x" * 65), with_contact(contact={"email": "a@b.example", "name": "n" * 60000})], {"field_too_long"}),
    ([with_contact(captured_at=text) for text in ("yesterday", "2026-13-01T00:00:00Z", "")], {"bad_time"}),
]


class Memory(threading.Thread):
    """The most that the daemon had resident while this ran."""

    def __init__(self, daemon):
        super().__init__(daemon=True)
        self.daemon_under_test, self.peak_kib, self.over = daemon, 0, threading.Event()

    def run(self):
        while not self.over.wait(0.05):
            try:
                self.peak_kib = max(self.peak_kib, self.daemon_under_test.rss_kib())
            except (OSError, StopIteration):
                return


def hostile():
    """[(bytes, right codes)], a good lead goes between each two."""
    return [(value, codes) for values, codes in GROUPS for value in values]


def same_headers(record):
    ours = list(record.headers)
    return all(h in ours for h in HEADERS) and [h for h in ours if h[0] == "x-trace"] == HEADERS[:2]


def test_hostile_records_are_set_aside_whole():
    records = hostile()
    check(len(records) >= 150, "only %d cases" % len(records))
    with World(broker.Kafka.started()) as world:
        world.start()
        memory = Memory(world.daemon)
        memory.start()
        for number, (value, _) in enumerate(records):
            world.send([value], headers=HEADERS, key=b"key-%d" % number, wait=False)
            world.send([lead(number)], wait=False)
        equal(world._producer.flush(60), 0, "records left")
        for value, _ in records:
            world.send([value], contract.ACTIVITY, headers=HEADERS, wait=False)
        equal(world._producer.flush(60), 0, "records left")
        world.wait_drained(60)
        memory.over.set()
        judge(world, records)
        check(world.daemon.running() and world.daemon.starts == 1, "it is still the same process")
        world.agrees()
        equal(world.daemon.stop(), 0, "exit code")
        check(memory.peak_kib < RSS_KIB_MAX, "%d KiB resident" % memory.peak_kib)
        return "%d hostile records on each of two topics, peak %d MiB resident" % (len(records), memory.peak_kib // 1024)


def judge(world, records):
    rejected, activities = {}, 0
    for record in world.read(contract.REJECTED):
        headers = dict(record.headers)
        origin, _, offset = headers[contract.CAUSE].decode()[len(world.prefix):].split("/")
        if origin == contract.ACTIVITY:
            activities += 1
            check(same_headers(record), "headers of an activity: %r" % (record.headers,))
            equal(record.value, records[int(offset)][0], "bytes of activity %s" % offset)
            continue
        check(offset not in rejected, "two rejects of offset %s" % offset)
        rejected[int(offset)] = (record, headers[contract.ERROR_CODE].decode())
    equal(activities, len(records), "rejected activities")
    wrong = []
    for number, (value, codes) in enumerate(records):
        record, code = rejected.pop(2 * number, (None, None))
        if code not in codes:
            wrong.append("%r…: %s instead of %s" % ((value or b"")[:60], code, "/".join(sorted(codes))))
        elif record.value != value or record.key != b"key-%d" % number or not same_headers(record):
            wrong.append("%r…: value, key or headers are not those that came" % value[:60])
    check(not wrong, "%d of %d\n%s" % (len(wrong), len(records), "\n".join(wrong[:40])))
    check(not rejected, "good leads were rejected: %s" % list(rejected)[:5])
    owners = collections.Counter(r.key for r in world.read(contract.ASSIGNMENTS))
    equal(owners, collections.Counter(b"L%d" % n for n in range(len(records))), "good leads assigned")


def test_a_flood_of_large_records_is_bounded():
    with World(broker.Kafka.started()) as world:
        world.bootstrap()
        big = b"{\"contact\":{\"email\":\"a@b.example\"},\"attributes\":{\"a\":\"" + b"z" * (1000 * 1000) + b"\"}}"
        for number in range(150):
            world.send([big], wait=False)
            if number % 10 == 0:
                world.send([lead(number)], wait=False)
        equal(world._producer.flush(60), 0, "records left")
        begun = time.monotonic()
        world.daemon.start()
        memory = Memory(world.daemon)
        memory.start()
        world.wait_drained(60)
        memory.over.set()
        counts = collections.Counter(dict(r.headers)[contract.ERROR_CODE] for r in world.read(contract.REJECTED))
        equal(counts, {b"too_large": 150}, "rejects")
        equal(len(world.read(contract.ASSIGNMENTS)), 15, "good leads")
        equal(world.daemon.stop(), 0, "exit code")
        check(memory.peak_kib < RSS_KIB_MAX, "%d KiB resident" % memory.peak_kib)
        return "150 MB in %.1f s, peak %d MiB resident" % (time.monotonic() - begun, memory.peak_kib // 1024)


testing.main(globals())
