/* SPDX-License-Identifier: Apache-2.0
 *
 * Evaluates CEL for the conformance run: one JSON object per line on stdin, one per line on stdout.
 *
 *     {"id": "…", "expr": "x + 1", "bindings": {"x": {"int": "1"}}, "container": "a.b", "unchecked": false,
 *      "declare": {"x": "int"}, "check_only": false}
 *     {"id": "…", "value": {"int": "2"}}  or  {"id": "…", "error": "…"}  or  {"id": "…", "type": "list(int)"}
 *
 * A binding is a typed value as cel_print_typed writes it. Its declared type is that of "declare", or dyn.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/base/mem.h"
#include "rules/cel/time.h"
#include "rules/cel/value.h"

enum { MAX_VARIABLES = 64 };

struct job {
	struct arena arena;
	struct cel_variable variables[MAX_VARIABLES];
	struct cel_value slots[MAX_VARIABLES];
	size_t count;
};

static struct cel_value read_value(struct job *job, const json_t *typed);

static struct slice json_slice(const json_t *text)
{
	return (struct slice){json_string_value(text), json_string_length(text)};
}

static struct cel_value read_list(struct job *job, const json_t *array)
{
	size_t count = json_array_size(array);
	struct cel_value *items = arena_array(&job->arena, count, sizeof *items);
	for (size_t i = 0; i < count; i++)
		items[i] = read_value(job, json_array_get(array, i));
	return cel_list_of(&job->arena, items, count);
}

static struct cel_value read_map(struct job *job, const json_t *array)
{
	size_t count = json_array_size(array);
	struct cel_entry *entries = arena_array(&job->arena, count, sizeof *entries);
	for (size_t i = 0; i < count; i++) {
		const json_t *pair = json_array_get(array, i);
		entries[i].key = read_value(job, json_array_get(pair, 0));
		entries[i].value = read_value(job, json_array_get(pair, 1));
	}
	const struct cel_map *map = cel_map_of(&job->arena, entries, count);
	return map != NULL ? cel_map(map) : cel_null();
}

static int digit64(char byte)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *found = byte != '\0' ? strchr(digits, byte) : NULL;
	return found != NULL ? (int)(found - digits) : -1;
}

static struct cel_value read_base64(struct job *job, struct slice text)
{
	char *bytes = arena_alloc(&job->arena, text.len);
	size_t len = 0;
	unsigned word = 0, bits = 0;
	for (size_t i = 0; i < text.len && digit64(text.p[i]) >= 0; i++) {
		word = word << 6 | (unsigned)digit64(text.p[i]);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			bytes[len++] = (char)(word >> bits & 0xff);
		}
	}
	return cel_bytes((struct slice){bytes, len});
}

static struct cel_value read_double(const json_t *value)
{
	return cel_double(json_is_string(value) ? strtod(json_string_value(value), NULL) : json_number_value(value));
}

static struct cel_value read_value(struct job *job, const json_t *typed)
{
	const char *kind = json_object_iter_key(json_object_iter((json_t *)typed));
	const json_t *value = json_object_iter_value(json_object_iter((json_t *)typed));
	struct cel_value result = cel_null();
	if (kind == NULL)
		return result;
	if (strcmp(kind, "bool") == 0)
		return cel_bool(json_is_true(value));
	if (strcmp(kind, "int") == 0)
		return cel_int(strtoll(json_string_value(value), NULL, 10));
	if (strcmp(kind, "uint") == 0)
		return cel_uint(strtoull(json_string_value(value), NULL, 10));
	if (strcmp(kind, "double") == 0)
		return read_double(value);
	if (strcmp(kind, "string") == 0)
		return cel_string(json_slice(value));
	if (strcmp(kind, "bytes") == 0)
		return read_base64(job, json_slice(value));
	if (strcmp(kind, "timestamp") == 0)
		(void)cel_time_read(json_slice(value), &result);
	if (strcmp(kind, "duration") == 0)
		(void)cel_duration_read(json_slice(value), &result);
	if (strcmp(kind, "list") == 0)
		return read_list(job, value);
	if (strcmp(kind, "map") == 0)
		return read_map(job, value);
	return result;
}

static const struct cel_type *read_type(struct job *job, const json_t *type);

static const struct cel_type *read_type_parts(struct job *job, const json_t *type)
{
	struct cel_type *made = arena_alloc(&job->arena, sizeof *made);
	const json_t *list = json_object_get(type, "list"), *map = json_object_get(type, "map");
	if (list != NULL) {
		*made = (struct cel_type){.kind = CEL_LIST, .item = read_type(job, list)};
		return made;
	}
	*made = (struct cel_type){.kind = CEL_MAP,
				  .key = read_type(job, json_array_get(map, 0)),
				  .item = read_type(job, json_array_get(map, 1))};
	return made;
}

static const struct cel_type *read_type(struct job *job, const json_t *type)
{
	static const struct {
		const char *name;
		const struct cel_type *type;
	} names[] = {
		{"bool", &cel_type_bool},	    {"int", &cel_type_int},	      {"uint", &cel_type_uint},
		{"double", &cel_type_double},	    {"string", &cel_type_string},     {"bytes", &cel_type_bytes},
		{"timestamp", &cel_type_timestamp}, {"duration", &cel_type_duration}, {"null", &cel_type_null},
	};
	if (json_is_object(type))
		return read_type_parts(job, type);
	for (size_t i = 0; json_is_string(type) && i < sizeof names / sizeof *names; i++)
		if (strcmp(names[i].name, json_string_value(type)) == 0)
			return names[i].type;
	return &cel_type_dyn;
}

static void declare(struct job *job, const char *name, const struct cel_type *type, struct cel_value value)
{
	if (job->count == MAX_VARIABLES)
		return;
	job->variables[job->count] = (struct cel_variable){name, type};
	job->slots[job->count++] = value;
}

static struct cel_value unbound(struct job *job)
{
	struct cel_error *error = arena_alloc(&job->arena, sizeof *error);
	*error = (struct cel_error){ERR_CEL_UNKNOWN_NAME, 0, 0, "no value is bound to this name"};
	return (struct cel_value){.kind = CEL_ERROR, .as.error = error};
}

static void read_variables(struct job *job, json_t *line)
{
	json_t *bindings = json_object_get(line, "bindings"), *types = json_object_get(line, "declare"), *value;
	const char *name;
	json_object_foreach(bindings, name, value)
	{
		declare(job, name, read_type(job, json_object_get(types, name)), read_value(job, value));
	}
	json_object_foreach(types, name, value)
	{
		if (json_object_get(bindings, name) == NULL)
			declare(job, name, read_type(job, value), unbound(job));
	}
}

static json_t *refusal(const struct cel_issues *issues)
{
	return json_string(issues->count > 0 ? issues->items[0].message : "refused");
}

/* The value as JSON text, put into the answer as it is. */
static void put_value(json_t *answer, struct cel_value value)
{
	struct strbuf buf = STRBUF_INIT;
	if (value.kind == CEL_ERROR) {
		json_object_set_new(answer, "error", json_string(value.as.error->text));
		return;
	}
	cel_print_typed(&buf, value);
	json_object_set_new(answer, "value", json_loads(strbuf_text(&buf), JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL));
	strbuf_done(&buf);
}

static void run_line(json_t *line, json_t *answer)
{
	struct job job = {.arena = ARENA_INIT};
	read_variables(&job, line);
	struct cel_env env = {
		.variables = job.variables,
		.variable_count = job.count,
		.container = json_string_value(json_object_get(line, "container")),
		.is_unchecked = json_is_true(json_object_get(line, "unchecked")),
		.is_lenient = true,
	};
	struct cel_issues issues;
	struct cel_program *program = NULL;
	if (cel_compile(&env, json_slice(json_object_get(line, "expr")), NULL, &job.arena, &issues, &program) != 0) {
		json_object_set_new(answer, "error", refusal(&issues));
	} else {
		const char *type = cel_type_name(cel_program_type(program), &job.arena);
		json_object_set_new(answer, "type", json_string(type));
		if (!json_is_true(json_object_get(line, "check_only")))
			put_value(answer, cel_eval(program, job.slots, &job.arena, CEL_DEFAULT_STEPS));
	}
	cel_program_done(program);
	arena_done(&job.arena);
}

int main(void)
{
	char *text = NULL;
	size_t capacity = 0;
	ssize_t len;
	while ((len = getline(&text, &capacity, stdin)) > 0) {
		json_error_t error;
		json_t *line = json_loadb(text, (size_t)len, JSON_ALLOW_NUL, &error);
		if (line == NULL) {
			fprintf(stderr, "cel_conformance: %s\n", error.text);
			return 2;
		}
		json_t *answer = json_object();
		json_object_set(answer, "id", json_object_get(line, "id"));
		run_line(line, answer);
		char *out = json_dumps(answer, JSON_COMPACT | JSON_REAL_PRECISION(17));
		puts(out);
		free(out);
		json_decref(answer);
		json_decref(line);
	}
	free(text);
	return 0;
}
