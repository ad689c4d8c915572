// SPDX-License-Identifier: Apache-2.0
//
// A second opinion: random typed expressions over lead-shaped data, evaluated by our engine and by npm @bufbuild/cel
// (pinned). Any difference in value, or one failing where the other does not, is printed. Exit 1 if there was one.
//
// Left out, because the other engine departs from the specification or from its reference implementation there: code
// points beyond U+FFFF (it counts UTF-16 units), int("") (it gives 0), text of fractional seconds (it pads to three
// digits), division of a uint beyond the ints by 1 (it says overflow),
// and the smallest int (twice negated it is itself, and its remainder by -1 is 0).
//
//     node cel_differential.mjs build/gcc/leadctl [COUNT] [SEED]

import { spawnSync } from "node:child_process";
import { celEnv, celUint, isCelList, isCelMap, isCelType, isCelUint, parse, plan } from "@bufbuild/cel";
import { strings } from "@bufbuild/cel/ext";
import { create } from "@bufbuild/protobuf";
import { DurationSchema, TimestampSchema } from "@bufbuild/protobuf/wkt";

const [program, countText = "10000", seedText = "1"] = process.argv.slice(2);
const count = Number(countText);

// ---- a small generator of random numbers (mulberry32), so that a seed names its run

let state = Number(seedText) >>> 0;
function random() {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = state;
  t = Math.imul(t ^ (t >>> 15), t | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
const pick = (items) => items[Math.floor(random() * items.length)];

// ---- the data: typed JSON for us, JavaScript values for the other

const SECONDS = 1772440200n;
const data = {
  source: ["string", "web"], country: ["string", "DE"], email: ["string", "jörg@bücher.example"], empty: ["string", ""],
  score: ["int", 62n], employees: ["int", 250n], negative: ["int", -7n], seats: ["uint", 12n],
  budget: ["double", 12500.5], rate: ["double", -0.25], vip: ["bool", true], known: ["bool", false],
  tags: ["strings", ["vip", "demo", "café"]], numbers: ["ints", [3n, 0n, -2n, 62n]],
  attributes: ["map", { plan: 3n, seats: 0n }],
  captured_at: ["timestamp", SECONDS], sla: ["duration", 5400n],
};

function ours([kind, value]) {
  switch (kind) {
    case "int": case "uint": return { [kind]: String(value) };
    case "strings": return { list: value.map((s) => ({ string: s })) };
    case "ints": return { list: value.map((i) => ({ int: String(i) })) };
    case "map": return { map: Object.entries(value).map(([k, v]) => [{ string: k }, { int: String(v) }]) };
    case "timestamp": return { timestamp: new Date(Number(value) * 1000).toISOString() };
    case "duration": return { duration: `${value}s` };
    default: return { [kind]: value };
  }
}

function theirs([kind, value]) {
  switch (kind) {
    case "uint": return celUint(value);
    case "map": return new Map(Object.entries(value));
    case "timestamp": return create(TimestampSchema, { seconds: value });
    case "duration": return create(DurationSchema, { seconds: value });
    default: return value;
  }
}

const entries = Object.entries(data);
const ourBindings = {
  lead: { map: entries.map(([k, v]) => [{ string: k }, ours(v)]) },
  now: { timestamp: "2026-03-02T09:00:00Z" },
};
const theirBindings = {
  lead: new Map(entries.map(([k, v]) => [k, theirs(v)])),
  now: create(TimestampSchema, { seconds: 1772442000n }),
};

// ---- typed expressions

const field = (type) => pick(entries.filter(([, [kind]]) => kind === type))[0];
const LITERALS = {
  bool: ["true", "false"],
  int: ["0", "1", "-1", "2", "7", "100", "9223372036854775807", "-9223372036854775807", "0x1F"],
  uint: ["0u", "1u", "3u", "18446744073709551615u"],
  double: ["0.0", "1.5", "-2.25", "1e3", "0.1"],
  string: ['""', '"web"', '"DE"', '"é"', "'a,b,c'", 'r"\\d"', '"vip"', '"42"', '"日本"'],
  strings: ["[]", '["web", "demo"]', '["DE", "AT", "CH"]'],
  ints: ["[]", "[1, 2, 3]", "[62]", "[-1, 0, 1]"],
  map: ["{}", '{"plan": 3, "seats": 0}', '{"a": 1, "b": 2}'],
  timestamp: ['timestamp("2026-03-02T08:30:00Z")', 'timestamp("1999-12-31T23:59:59.5Z")'],
  duration: ['duration("90m")', 'duration("1h30m")', 'duration("-1.5s")', 'duration("0s")'],
};
const names = [];
const list = (item) => (item === "int" ? "ints" : "strings");

function loop(range, item, type, body) {
  const name = `v${names.length}`;
  names.push([name, item]);
  const text = body(name);
  names.pop();
  return text;
}

const predicate = (item, macro, depth) => {
  const range = gen(list(item), depth);
  return loop(range, item, "bool", (v) => `${range}.${macro}(${v}, ${gen("bool", depth)})`);
};

const COMPARABLE = ["int", "uint", "double", "string", "timestamp", "duration", "bool"];
const same = (type, op, depth) => `(${gen(type, depth)} ${op} ${gen(type, depth)})`;

const RULES = {
  bool: [
    (d) => `(${gen("bool", d)} && ${gen("bool", d)})`,
    (d) => `(${gen("bool", d)} || ${gen("bool", d)})`,
    (d) => `!${gen("bool", d)}`,
    (d) => same(pick(COMPARABLE), pick(["<", "<=", ">", ">="]), d),
    (d) => same(pick([...COMPARABLE, "strings", "ints", "map"]), pick(["==", "!="]), d),
    (d) => `(${gen("string", d)} in ${gen("strings", d)})`,
    (d) => `(${gen("int", d)} in ${gen("ints", d)})`,
    (d) => `(${gen("string", d)} in ${gen("map", d)})`,
    (d) => `${gen("string", d)}.${pick(["contains", "startsWith", "endsWith"])}(${gen("string", d)})`,
    (d) => `${gen("string", d)}.matches(${pick(['"^[a-z]+$"', '"w.b"', '"[0-9]"', '"é|ö"'])})`,
    (d) => predicate(pick(["int", "string"]), pick(["all", "exists", "exists_one"]), d),
    () => `has(lead.${pick([...Object.keys(data), "missing"])})`,
    (d) => `(${gen("bool", d)} ? ${gen("bool", d)} : ${gen("bool", d)})`,
  ],
  int: [
    (d) => same("int", pick(["+", "-", "*", "/", "%"]), d),
    (d) => `-(${gen("int", d)})`,
    (d) => `size(${gen(pick(["string", "strings", "ints", "map"]), d)})`,
    (d) => `${gen("ints", d)}[${pick(["0", "1", "2", gen("int", d)])}]`,
    (d) => `${gen("map", d)}[${pick(['"plan"', '"a"', gen("string", d)])}]`,
    (d) => `int(${pick([() => gen(pick(["uint", "double", "timestamp"]), d), () => pick(['"42"', '"-7"', '"4x"', "lead.source"])])()})`,
    (d) => `${gen("timestamp", d)}.${pick(["getFullYear", "getMonth", "getDayOfMonth", "getDate", "getHours", "getMinutes",
      "getSeconds", "getMilliseconds", "getDayOfWeek", "getDayOfYear"])}()`,
    (d) => `${gen("duration", d)}.${pick(["getHours", "getMinutes", "getSeconds"])}()`,
    (d) => `${gen("string", d)}.${pick(["indexOf", "lastIndexOf"])}(${gen("string", d)})`,
    (d) => `(${gen("bool", d)} ? ${gen("int", d)} : ${gen("int", d)})`,
  ],
  uint: [
    (d) => same("uint", pick(["+", "-", "*", "%"]), d),
    (d) => `(${gen("uint", d)} / (${gen("uint", d)} + 2u))`,
    (d) => `uint(${gen("int", d)})`,
  ],
  double: [
    (d) => same("double", pick(["+", "-", "*", "/"]), d),
    (d) => `double(${gen(pick(["int", "uint"]), d)})`,
    (d) => `(${gen("bool", d)} ? ${gen("double", d)} : ${gen("double", d)})`,
  ],
  string: [
    (d) => same("string", "+", d),
    (d) => `string(${pick([() => gen(pick(["int", "uint", "bool"]), d), () => pick(["now", "lead.captured_at", "lead.sla"])])()})`,
    (d) => `${gen("strings", d)}[${pick(["0", "1", "2"])}]`,
    (d) => `${gen("string", d)}.${pick(["lowerAscii", "upperAscii", "trim"])}()`,
    (d) => `${gen("string", d)}.substring(${pick(["0", "1", "2"])})`,
    (d) => `${gen("string", d)}.charAt(${pick(["0", "1", "3"])})`,
    (d) => `${gen("string", d)}.replace(${pick(['"e"', '"web"', '"1"'])}, ${gen("string", d)})`,
    (d) => `${gen("strings", d)}.join(${pick(['","', '""', '"é"'])})`,
    (d) => `(${gen("bool", d)} ? ${gen("string", d)} : ${gen("string", d)})`,
  ],
  strings: [
    (d) => same("strings", "+", d),
    (d) => `[${gen("string", d)}, ${gen("string", d)}]`,
    (d) => predicate("string", "filter", d),
    (d) => { const r = gen("ints", d); return loop(r, "int", "string", (v) => `${r}.map(${v}, ${gen("string", d)})`); },
    (d) => `${gen("string", d)}.split(${pick(['","', '"e"', '""'])})`,
  ],
  ints: [
    (d) => same("ints", "+", d),
    (d) => `[${gen("int", d)}, ${gen("int", d)}]`,
    (d) => predicate("int", "filter", d),
    (d) => { const r = gen("strings", d); return loop(r, "string", "int", (v) => `${r}.map(${v}, ${gen("int", d)})`); },
    (d) => { const r = gen("ints", d);
      return loop(r, "int", "int", (v) => `${r}.map(${v}, ${gen("bool", d)}, ${gen("int", d)})`); },
  ],
  map: [(d) => `{${gen("string", d)}: ${gen("int", d)}, ${gen("string", d)}: ${gen("int", d)}}`],
  timestamp: [
    (d) => `(${gen("timestamp", d)} ${pick(["+", "-"])} ${gen("duration", d)})`,
    () => "now",
  ],
  duration: [
    (d) => `(${gen("timestamp", d)} - ${gen("timestamp", d)})`,
    (d) => `(${gen("duration", d)} ${pick(["+", "-"])} ${gen("duration", d)})`,
  ],
};

function leaf(type) {
  const local = names.filter(([, t]) => t === type);
  if (local.length > 0 && random() < 0.6) return pick(local)[0];
  return random() < 0.5 ? pick(LITERALS[type]) : pick([`lead.${field(type)}`, `lead["${field(type)}"]`]);
}

function gen(type, depth) {
  return depth <= 0 || random() < 0.25 ? leaf(type) : pick(RULES[type])(depth - 1);
}

// ---- comparing

function typed(value) {
  if (value === null) return { null: true };
  if (typeof value === "boolean") return { bool: value };
  if (typeof value === "bigint") return { int: String(value) };
  if (typeof value === "number") return { double: Number.isFinite(value) ? value : String(value) };
  if (typeof value === "string") return { string: value };
  if (isCelUint(value)) return { uint: String(value.value) };
  if (isCelType(value)) return { type: value.name };
  if (isCelList(value)) return { list: [...value].map(typed) };
  if (isCelMap(value)) return { map: [...value.entries()].map(([k, v]) => [typed(k), typed(v)]) };
  const message = value.message ?? value;
  const name = message.$typeName ?? value.desc?.typeName;
  const kind = name === "google.protobuf.Timestamp" ? "at" : "span";
  return { [kind]: `${message.seconds}.${message.nanos}` };
}

function normal(value) {
  if (value === undefined) return undefined;
  if (value.timestamp !== undefined) {
    const [whole, fraction = ""] = value.timestamp.replace("Z", "").split(".");
    return { at: `${BigInt(Date.parse(whole + "Z")) / 1000n}.${Number(fraction.padEnd(9, "0"))}` };
  }
  if (value.duration !== undefined) {
    const text = value.duration.replace("s", ""), sign = text.startsWith("-") ? -1 : 1;
    const [whole, fraction = ""] = text.replace("-", "").split(".");
    return { span: `${sign * Number(whole) || 0}.${sign * Number(fraction.padEnd(9, "0")) || 0}` };
  }
  if (value.list) return { list: value.list.map(normal) };
  if (value.map)
    return { map: value.map.map(([k, v]) => [normal(k), normal(v)]).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) };
  if (value.double !== undefined) return { double: String(value.double) };
  return value;
}

const env = celEnv({ funcs: strings });
function evaluate(text) {
  try {
    const result = plan(env, parse(text))(theirBindings);
    return result?.constructor?.name === "CelError" || result instanceof Error ? undefined : typed(result);
  } catch {
    return undefined;
  }
}

const TYPES = Object.keys(RULES);
const texts = Array.from({ length: count }, () => gen(pick(["bool", "bool", ...TYPES]), 4));
const input = texts.map((expr, id) => JSON.stringify({ id, expr, bindings: ourBindings })).join("\n") + "\n";
const run = spawnSync(program, ["eval", "--jsonl"], { input, maxBuffer: 1 << 30 });
if (run.status !== 0) throw new Error(run.stderr.toString());

let differences = 0, failed = 0;
run.stdout.toString().trimEnd().split("\n").forEach((line, i) => {
  const got = JSON.parse(line), other = evaluate(texts[i]);
  if (got.error !== undefined) failed++;
  if (JSON.stringify(normal(got.value)) === JSON.stringify(other && normal(other))) return;
  differences++;
  if (differences <= 20)
    console.log(`DIFFERS ${texts[i]}\n  we    ${JSON.stringify(got.value ?? got.error)}\n  other ${JSON.stringify(other)}`);
});
console.log(`${count} expressions (seed ${seedText}), ${failed} of them fail to evaluate, ${differences} differences`);
process.exitCode = differences === 0 ? 0 : 1;
