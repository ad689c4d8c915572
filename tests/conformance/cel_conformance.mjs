// SPDX-License-Identifier: Apache-2.0
//
// Runs the official CEL suite (npm @bufbuild/cel-spec, pinned) against our engine: cases go as JSON lines to
// `leadctl eval --jsonl`, answers are compared here, and the score is printed per section. Exit 1 when a
// case of a section that we claim fails.
//
//     node cel_conformance.mjs build/gcc/leadctl [--failures] [--section NAME] [--readme FILE [--write]]
//
// --readme compares the table of the file (between the two comments below) with the score, or with --write replaces it.
//
// A case is skipped only for a reason that is printed: it needs protobuf messages (by its expression, types, bindings or
// expected value), or its section is named in SKIPPED.

import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { getConformanceSuite } from "@bufbuild/cel-spec/testdata/tests.js";
import { getTestRegistry } from "@bufbuild/cel-spec/testdata/registry.js";
import { SimpleTestSchema } from "@bufbuild/cel-spec/cel/expr/conformance/test/simple_pb.js";
import { toJson } from "@bufbuild/protobuf";

const SKIPPED = {
  proto2: "needs protobuf messages",
  proto2_ext: "needs protobuf messages",
  proto3: "needs protobuf messages",
  enums: "needs protobuf enums",
  wrappers: "needs protobuf wrapper messages",
  dynamic: "needs protobuf messages (Any, Struct, Value, wrappers)",
};

const MESSAGE = "needs protobuf messages";
const CUSTOM = "declares functions or opaque types of its own";

const [program, ...flags] = process.argv.slice(2);
const readme = flags.includes("--readme") ? flags[flags.indexOf("--readme") + 1] : null;
const onlySection = flags.includes("--section") ? flags[flags.indexOf("--section") + 1] : null;
const registry = getTestRegistry();

// ---- expected values and bindings, from protobuf JSON to our typed JSON

class Unsupported extends Error {}

const DURATION = "type.googleapis.com/google.protobuf.Duration";
const TIMESTAMP = "type.googleapis.com/google.protobuf.Timestamp";

function typed(value) {
  const [kind, content] = Object.entries(value)[0] ?? ["nullValue", null];
  switch (kind) {
    case "nullValue": return { null: true };
    case "boolValue": return { bool: content };
    case "int64Value": return { int: content };
    case "uint64Value": return { uint: content };
    case "doubleValue": return { double: content };
    case "stringValue": return { string: content };
    case "bytesValue": return { bytes: content };
    case "typeValue": return { type: content };
    case "listValue": return { list: (content.values ?? []).map(typed) };
    case "mapValue": return { map: (content.entries ?? []).map((e) => [typed(e.key), typed(e.value)]) };
    case "objectValue":
      if (content["@type"] === DURATION) return { duration: content.value };
      if (content["@type"] === TIMESTAMP) return { timestamp: content.value };
      throw new Unsupported(MESSAGE);
    default: throw new Unsupported(MESSAGE);
  }
}

const PRIMITIVES = { BOOL: "bool", INT64: "int", UINT64: "uint", DOUBLE: "double", STRING: "string", BYTES: "bytes" };

function typeOf(type) {
  if (type.primitive) return PRIMITIVES[type.primitive];
  if ("dyn" in type) return "dyn";
  if ("null" in type) return "null";
  if (type.wellKnown === "TIMESTAMP") return "timestamp";
  if (type.wellKnown === "DURATION") return "duration";
  if (type.messageType === "google.protobuf.Timestamp") return "timestamp";
  if (type.messageType === "google.protobuf.Duration") return "duration";
  if (type.listType) return { list: typeOf(type.listType.elemType ?? { dyn: {} }) };
  if (type.mapType)
    return { map: [typeOf(type.mapType.keyType ?? { dyn: {} }), typeOf(type.mapType.valueType ?? { dyn: {} })] };
  if (type.abstractType?.name === "optional_type") return { optional: typeOf(type.abstractType.parameterTypes[0]) };
  if (type.type) return { type: typeOf(type.type) };
  throw new Unsupported(MESSAGE);
}

function typeText(type) {
  if (typeof type === "string") return type;
  if (type.list) return `list(${typeText(type.list)})`;
  if (type.map) return `map(${typeText(type.map[0])}, ${typeText(type.map[1])})`;
  if (type.optional) return `optional(${typeText(type.optional)})`;
  return "type";
}

// ---- cases

// Message literals and enum constants can only be told by their names.
const MESSAGE_TEXT = new RegExp(
  "TestAllTypes|NestedTestAllTypes|GlobalEnum|Proto2ExtensionScopedMessage|" +
  "google\\s*\\.\\s*protobuf\\s*\\.\\s*(?!Timestamp\\b|Duration\\b)\\w+|" +
  "google\\.protobuf\\.(Timestamp|Duration)\\s*\\{|\\.\\s*cel\\s*\\.\\s*expr");

function buildCase(test) {
  if (test.container?.startsWith("cel.expr.conformance.proto") && MESSAGE_TEXT.test(test.expr))
    throw new Unsupported(MESSAGE);
  if (MESSAGE_TEXT.test(test.expr)) throw new Unsupported(MESSAGE);
  const line = { expr: test.expr, bindings: {}, declare: {}, type: true };
  for (const decl of test.typeEnv ?? []) {
    if (!decl.ident) throw new Unsupported(CUSTOM);
    line.declare[decl.name] = typeOf(decl.ident.type);
  }
  for (const [name, binding] of Object.entries(test.bindings ?? {}))
    line.bindings[name] = typed(binding.value ?? {});
  if (test.container) line.container = test.container;
  line.unchecked = test.disableCheck ?? false;
  line.check_only = test.checkOnly ?? false;
  return line;
}

function wanted(test) {
  if (test.evalError || test.anyEvalErrors) return { error: true };
  if (test.typedResult)
    return {
      value: test.typedResult.result ? typed(test.typedResult.result) : undefined,
      type: typeText(typeOf(test.typedResult.deducedType)),
    };
  if (test.unknown || test.anyUnknowns) throw new Unsupported("unknown values");
  return { value: test.value ? typed(test.value) : { bool: true } };
}

// ---- comparing: numbers by value, maps without order, NaN equal to NaN

function sameValue(a, b) {
  const kind = Object.keys(a)[0];
  if (kind !== Object.keys(b)[0]) return false;
  const [x, y] = [a[kind], b[kind]];
  if (kind === "double") return Object.is(Number(x), Number(y)) || Number(x) === Number(y);
  if (kind === "list") return x.length === y.length && x.every((item, i) => sameValue(item, y[i]));
  if (kind === "map")
    return x.length === y.length &&
      x.every(([k, v]) => y.some(([k2, v2]) => sameValue(k, k2) && sameValue(v, v2)));
  if (kind === "duration") return parseFloat(x) === parseFloat(y);
  return x === y;
}

function passes(want, answer) {
  if (want.error) return answer.error !== undefined;
  if (answer.error !== undefined) return false;
  if (want.type !== undefined && want.type !== answer.type) return false;
  return want.value === undefined || (answer.value !== undefined && sameValue(want.value, answer.value));
}

function* walk(suite, section) {
  for (const test of suite.tests ?? []) yield { section, test: toJson(SimpleTestSchema, test.original, { registry }) };
  for (const child of suite.suites ?? []) yield* walk(child, section ?? child.name);
}

const cases = [], score = new Map(), skipped = new Map();
for (const { section, test } of walk(getConformanceSuite(), null)) {
  if (onlySection && section !== onlySection) continue;
  const entry = score.get(section) ?? { passed: 0, failed: 0, skipped: 0 };
  score.set(section, entry);
  try {
    if (SKIPPED[section]) throw new Unsupported(SKIPPED[section]);
    cases.push({ section, test, line: buildCase(test), want: wanted(test) });
  } catch (e) {
    if (!(e instanceof Unsupported)) throw e;
    entry.skipped++;
    const reasons = skipped.get(section) ?? new Map();
    reasons.set(e.message, (reasons.get(e.message) ?? 0) + 1);
    skipped.set(section, reasons);
  }
}

const input = cases.map((c, id) => JSON.stringify({ id, ...c.line })).join("\n") + "\n";
const run = spawnSync(program, ["eval", "--jsonl"], { input, maxBuffer: 1 << 28 });
if (run.status !== 0) {
  console.error(run.stderr.toString());
  throw new Error(`${program} ended with ${run.status ?? run.signal}`);
}
const answers = run.stdout.toString().trimEnd().split("\n").map((line) => JSON.parse(line));
if (answers.length !== cases.length) throw new Error(`${cases.length} cases, ${answers.length} answers`);

for (const [i, { section, test, want }] of cases.entries()) {
  const ok = answers[i].id === i && passes(want, answers[i]);
  score.get(section)[ok ? "passed" : "failed"]++;
  if (!ok && flags.includes("--failures"))
    console.log(`FAIL ${section}: ${test.name}: ${test.expr}\n  want ${JSON.stringify(want)}\n  got  ${JSON.stringify(answers[i])}`);
}

const total = { passed: 0, failed: 0, skipped: 0 };
for (const [section, entry] of [...score].sort()) {
  for (const key of Object.keys(total)) total[key] += entry[key];
  const of = entry.passed + entry.failed + entry.skipped;
  const why = [...(skipped.get(section) ?? [])].map(([reason, count]) => `${count} out of profile: ${reason}`).join("; ");
  console.log(`${section.padEnd(18)} ${String(entry.passed).padStart(4)} of ${String(of).padStart(4)}` +
    `${entry.failed ? `  ${entry.failed} failed` : ""}${why ? `  (${why})` : ""}`);
}
// ---- the table in the README

const TABLE = /(<!-- score of the CEL suite, from make check-conformance -->\n)([^]*?)(<!-- end of score -->)/;

function table() {
  const rows = [...score].sort().map(([section, { passed, failed, skipped: out }]) => {
    const why = [...(skipped.get(section) ?? [])].map(([reason, count]) => `${count} ${reason.replace("needs ", "need ").replace("declares", "declare").replace("its own", "their own")}`);
    return `| ${section} | ${passed} | ${passed + failed + out} | ${why.join("; ")} |\n`;
  });
  const all = total.passed + total.failed + total.skipped;
  return "| section | passed | of | left out |\n|---|---|---|---|\n" + rows.join("") +
    `| **all** | **${total.passed}** | **${all}** | ${total.skipped} |\n`;
}

if (readme !== null && onlySection === null) {
  const text = readFileSync(readme, "utf8"), found = TABLE.exec(text);
  if (flags.includes("--write")) writeFileSync(readme, text.replace(TABLE, (_, begin, old, end) => begin + table() + end));
  else if (found?.[2] !== table()) {
    console.log(`${readme}: its table is not the score; make readme-score writes it`);
    total.failed++;
  } else total.passed++;
}

// What is out of our profile is not a test that could not be run, so it is not counted as one.
console.log(`${total.skipped} cases of the suite are out of profile, each with its reason above`);
console.log(`${total.passed} passed, ${total.failed} failed, 0 skipped`);
process.exitCode = total.failed === 0 ? 0 : 1;
