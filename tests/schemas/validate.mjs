// SPDX-License-Identifier: Apache-2.0
// validate.mjs SCHEMAS EVENTS SAMPLES
//
// SCHEMAS is config/schemas, EVENTS what tests/demo --events wrote, SAMPLES the leads that it sent, one a line. Consumers
// have to live with new members; here, a member that no schema declares is a failure.

import fs from 'node:fs';
import path from 'node:path';
import Ajv2020 from 'ajv/dist/2020.js';
import Ajv from 'ajv';
import addFormats from 'ajv-formats';
import yaml from 'js-yaml';

const [folder, eventsFile, samplesFile] = process.argv.slice(2);
let passed = 0, failed = 0;

function check(name, problems) {
  if (problems.length === 0) {
    passed++;
    return console.log(`ok ${name}`);
  }
  failed++;
  console.log(`not ok ${name}`);
  problems.slice(0, 10).forEach((p) => console.log(`  ${p}`));
}

const readLines = (file) => fs.readFileSync(file, 'utf8').split('\n').filter(Boolean);

// --- schemas, as they are and with no room for anything undeclared

function closed(schema) {
  if (Array.isArray(schema)) return schema.map(closed);
  if (schema === null || typeof schema !== 'object') return schema;
  const copy = Object.fromEntries(Object.entries(schema).map(([k, v]) => [k, closed(v)]));
  if (copy.properties && copy.type === 'object' && copy.additionalProperties === undefined) copy.additionalProperties = false;
  return copy;
}

function compile(change) {
  const ajv = addFormats(new Ajv2020({ allErrors: true, strict: true, strictTypes: false, strictRequired: false, allowUnionTypes: true }));
  const names = fs.readdirSync(folder).filter((n) => n.endsWith('.json'));
  for (const name of names) ajv.addSchema(change(JSON.parse(fs.readFileSync(path.join(folder, name)))), name);
  return Object.fromEntries(names.map((n) => [n.replace(/\.json$/, ''), ajv.getSchema(n)]));
}

const open = compile((s) => s), strict = compile(closed);
const errors = (validator, value) =>
  validator(value) ? [] : validator.errors.map((e) => `${e.instancePath || '/'} ${e.message} ${JSON.stringify(e.params)}`);
check('every schema compiles', Object.entries(open).filter(([, v]) => !v).map(([n]) => n));

// --- events that were really sent

const events = readLines(eventsFile).map((line) => JSON.parse(line));
const byType = Map.groupBy ? Map.groupBy(events, (e) => e.type) : events.reduce((m, e) => m.set(e.type, [...(m.get(e.type) ?? []), e]), new Map());
const OUTPUTS = ['lead.assigned', 'lead.unassigned', 'lead.duplicate', 'lead.status', 'followup.reminder', 'followup.overdue', 'state.lead'];

for (const type of OUTPUTS) {
  const found = byType.get(type) ?? [];
  const problems = found.length ? [] : ['no such event was sent'];
  for (const e of found) for (const text of errors(strict[type], e.data)) problems.push(`${e.id ?? e.data.owner}: ${text}`);
  check(`${found.length} × ${type}`, problems);
}
check('every type that was sent has a schema', [...byType.keys()].filter((t) => t && !(t in strict) && t !== 'lead.rejected'));

// Each required member is missed, and an undeclared one noticed.
for (const type of OUTPUTS) {
  const one = byType.get(type)?.[0]?.data;
  if (!one) continue;
  const problems = [];
  for (const name of open[type].schema.required)
    if (open[type](Object.fromEntries(Object.entries(one).filter(([k]) => k !== name)))) problems.push(`${name} may be missing`);
  if (strict[type]({ ...one, surprise: 1 })) problems.push('an undeclared member passes');
  check(`${type} cannot be cut short`, problems);
}

// --- sample leads: the schema and the daemon agree on what is a lead

const SAID_BY_SCHEMA = new Set(['not_an_object', 'wrong_field_type', 'field_too_long', 'field_out_of_range', 'bad_lead_id', 'no_contact', 'bad_time']);
const rejected = new Map(events.filter((e) => e.code && e.cause.startsWith('leads.captured/0/')).map((e) => [Number(e.cause.split('/')[2]), e.code]));
const taken = [], refused = [];
readLines(samplesFile).forEach((line, offset) => {
  const record = JSON.parse(line), code = rejected.get(offset);
  const lead = record.specversion ? record.data : record;
  if (code === undefined) for (const text of errors(strict['lead.captured'], lead)) taken.push(`line ${offset + 1}: ${text}`);
  else if (SAID_BY_SCHEMA.has(code) && open['lead.captured'](lead)) refused.push(`line ${offset + 1}: the daemon says ${code}`);
});
check('leads that the daemon took fit the schema', taken);
check('leads that it refused for their form do not', refused);

// --- the other examples

const examples = path.dirname(samplesFile);
check('examples of activities', readLines(path.join(examples, 'activities.jsonl')).flatMap((line) => {
  const record = JSON.parse(line);
  return errors(strict[record.type], record.specversion ? record.data : record);
}));
const shown = readLines(path.join(examples, 'events.jsonl')).map((line) => JSON.parse(line));
check('examples of events', shown.flatMap((e) => errors(strict[e.type], e.data)));
check('an example of every event', OUTPUTS.filter((t) => t !== 'state.lead' && !shown.some((e) => e.type === t)));

// --- AsyncAPI

const document = yaml.load(fs.readFileSync(path.join(folder, 'asyncapi.yaml'), 'utf8'));
const at = (node, steps) => steps.reduce((n, s) => n?.[s.replaceAll('~1', '/')], node);

function resolve(node, problems, schemas) {
  if (node === null || typeof node !== 'object') return node;
  if (Array.isArray(node)) return node.map((n) => resolve(n, problems, schemas));
  if (typeof node.$ref === 'string') {
    if (node.$ref.startsWith('./')) {
      const name = path.basename(node.$ref, '.json');
      if (!open[name]) problems.push(`${node.$ref} is not there`);
      schemas.add(name);
    } else if (at(document, node.$ref.slice(2).split('/')) === undefined) problems.push(`${node.$ref} is not there`);
    return node;
  }
  return Object.fromEntries(Object.entries(node).map(([k, v]) => [k, resolve(v, problems, schemas)]));
}

// The specification's schema is draft-07 and knows references only where they may stand.
const dangling = [], used = new Set();
resolve(document, dangling, used);
check('asyncapi.yaml: every reference leads somewhere', dangling);
check('asyncapi.yaml: every event is in it', Object.keys(open).filter((n) => n !== 'common' && !used.has(n)));

// rules/event_type.def has what is sent; a rejected record is no event of a schema.
const sent = [...fs.readFileSync('rules/event_type.def', 'utf8').matchAll(/^EVENT_TYPE\("([^"]+)"/gm)].map((m) => m[1]).filter((t) => t !== 'lead.rejected');
const told = ['assignments', 'followups', 'lifecycle'].flatMap((channel) => Object.keys(document.channels[channel].messages));
check('asyncapi.yaml: the events are those that are sent', [...sent.filter((t) => !told.includes(t)), ...told.filter((t) => !sent.includes(t))]);

const require = (await import('node:module')).createRequire(import.meta.url);
const specification = require('@asyncapi/specs/schemas/3.0.0-without-$id.json');
const ajv = addFormats(new Ajv({ allErrors: false, strict: false, validateFormats: false }));
const valid = ajv.compile(specification);
check('asyncapi.yaml fits the schema of AsyncAPI 3.0.0', valid(document) ? [] : valid.errors.map((e) => `${e.instancePath} ${e.message}`));
check('asyncapi.yaml: that schema can refuse', valid({ ...document, channels: { captured: { messages: 7 } } }) ? ['a broken document passes'] : []);

const channelOf = new Map(Object.values(document.channels).flatMap((c) => Object.keys(c.messages).map((m) => [m, c.address])));
const elsewhere = events.filter((e) => e.topic && !e.code && channelOf.get(e.type) !== e.topic);
check('every event was on the topic of its channel', elsewhere.map((e) => `${e.type} on ${e.topic}`));

console.log(`${passed} passed, ${failed} failed, 0 skipped`);
process.exit(failed ? 1 : 0);
