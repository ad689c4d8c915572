/* SPDX-License-Identifier: Apache-2.0
 *
 * Evaluates CEL for the conformance run: one JSON object per line on stdin, one per line on stdout.
 *
 *     {"id": 1, "expr": "x + 1", "bindings": {"x": {"int": "1"}}, "container": "a.b", "unchecked": false,
 *      "declare": {"x": "int"}, "check_only": false}
 *     {"id": 1, "type": "int", "value": {"int": "2"}}  or  {"id": 1, "error": "…"}
 *
 * A binding is a typed value as cel_print_typed writes it. Its declared type is that of "declare", or dyn.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/cel_json.h"
#include "rules/cel/print.h"
#include "rules/cel/value.h"
#include "rules/json.h"

enum { MAX_VARIABLES = 64 };

struct job {
	struct arena arena;
	struct cel_variable variables[MAX_VARIABLES];
	struct cel_value slots[MAX_VARIABLES];
	size_t count;
};

static const struct cel_type *read_type(struct job *job, const struct json *type);

static const struct cel_type *read_type_parts(struct job *job, const struct json *type)
{
	struct cel_type *made = arena_alloc(&job->arena, sizeof *made);
	const struct json *list = json_get(type, "list"), *map = json_get(type, "map");
	if (list != NULL) {
		*made = (struct cel_type){.kind = CEL_LIST, .item = read_type(job, list)};
		return made;
	}
	if (map == NULL || map->count != 2)
		return &cel_type_dyn;
	*made = (struct cel_type){
		.kind = CEL_MAP, .key = read_type(job, &map->items[0]), .item = read_type(job, &map->items[1])};
	return made;
}

static const struct cel_type *read_type(struct job *job, const struct json *type)
{
	static const struct {
		const char *name;
		const struct cel_type *type;
	} names[] = {
		{"bool", &cel_type_bool},	    {"int", &cel_type_int},	      {"uint", &cel_type_uint},
		{"double", &cel_type_double},	    {"string", &cel_type_string},     {"bytes", &cel_type_bytes},
		{"timestamp", &cel_type_timestamp}, {"duration", &cel_type_duration}, {"null", &cel_type_null},
	};
	if (type != NULL && type->type == JSON_IS_OBJECT)
		return read_type_parts(job, type);
	for (size_t i = 0; type != NULL && i < sizeof names / sizeof *names; i++)
		if (slice_is(type->text, names[i].name))
			return names[i].type;
	return &cel_type_dyn;
}

static void declare(struct job *job, struct slice name, const struct cel_type *type, struct cel_value value)
{
	if (job->count == MAX_VARIABLES)
		return;
	job->variables[job->count] = (struct cel_variable){arena_memdupz(&job->arena, name.p, name.len), type};
	job->slots[job->count++] = value;
}

static struct cel_value failure(struct job *job, const char *text)
{
	struct cel_error *error = arena_alloc(&job->arena, sizeof *error);
	*error = (struct cel_error){ERR_CEL_UNKNOWN_NAME, 0, 0, text};
	return (struct cel_value){.kind = CEL_ERROR, .as.error = error};
}

static const struct json *member(const struct json *object, struct slice name)
{
	for (size_t i = 0; object != NULL && i < object->count; i++)
		if (slice_equal(object->names[i], name))
			return &object->items[i];
	return NULL;
}

static void read_variables(struct job *job, const struct json *line)
{
	const struct json *bindings = json_get(line, "bindings"), *types = json_get(line, "declare");
	for (size_t i = 0; bindings != NULL && i < bindings->count; i++) {
		struct cel_value value;
		struct err err = ERR_INIT;
		if (cel_from_typed_json(&bindings->items[i], &job->arena, &value, &err) != 0)
			value = failure(job, "the binding is not a typed value");
		declare(job, bindings->names[i], read_type(job, member(types, bindings->names[i])), value);
	}
	for (size_t i = 0; types != NULL && i < types->count; i++)
		if (member(bindings, types->names[i]) == NULL)
			declare(job, types->names[i], read_type(job, &types->items[i]),
				failure(job, "no value is bound to this name"));
}

static bool is_set(const struct json *line, const char *name)
{
	const struct json *flag = json_get(line, name);
	return flag != NULL && flag->type == JSON_IS_BOOL && flag->boolean;
}

/* A text with a NUL in it, which our JSON reader refuses, comes as "expr_base64". */
static struct slice read_expression(struct job *job, const struct json *line)
{
	struct slice encoded = json_get_text(line, "expr_base64");
	char *bytes = arena_alloc(&job->arena, encoded.len);
	size_t len = 0;
	bool is_encoded = encoded.len != 0 && cel_read_base64(encoded, bytes, &len);
	return is_encoded ? (struct slice){bytes, len} : json_get_text(line, "expr");
}

/* "error" or "value", and "type" when it compiles. */
static void run_line(struct job *job, const struct json *line, struct json_writer *answer)
{
	read_variables(job, line);
	struct slice container = json_get_text(line, "container");
	struct cel_env env = {
		.variables = job->variables,
		.variable_count = job->count,
		.container = container.len != 0 ? arena_memdupz(&job->arena, container.p, container.len) : NULL,
		.is_unchecked = is_set(line, "unchecked"),
		.is_lenient = true,
	};
	struct cel_issues issues;
	struct cel_program *program = NULL;
	if (cel_compile(&env, read_expression(job, line), NULL, &job->arena, &issues, &program) != 0) {
		json_put_text(answer, "error", slice_of(issues.items[0].message));
		return;
	}
	json_put_text(answer, "type", slice_of(cel_type_name(cel_program_type(program), &job->arena)));
	struct cel_value value = cel_null();
	if (!is_set(line, "check_only"))
		value = cel_eval(program, job->slots, &job->arena, CEL_DEFAULT_STEPS);
	struct strbuf typed = STRBUF_INIT;
	cel_print_typed(&typed, value);
	if (value.kind == CEL_ERROR)
		json_put_text(answer, "error", slice_of(value.as.error->text));
	else if (!is_set(line, "check_only"))
		json_put_raw(answer, "value", (struct slice){typed.bytes, typed.len});
	strbuf_done(&typed);
	cel_program_done(program);
}

static int answer_line(struct slice text)
{
	static const struct json_limits limits = {.bytes = 1 << 20, .depth = 64, .values = 100000};
	struct job job = {.arena = ARENA_INIT};
	struct err err = ERR_INIT;
	const struct json *line = json_read(text, limits, &job.arena, &err);
	if (line == NULL) {
		fprintf(stderr, "cel_conformance: %s\n", err.text);
		arena_done(&job.arena);
		return -1;
	}
	struct strbuf out = STRBUF_INIT;
	struct json_writer answer = JSON_WRITER(&out);
	const struct json *id = json_get(line, "id");
	json_open_object(&answer, NULL);
	json_put_int(&answer, "id", id != NULL ? id->integer : -1);
	run_line(&job, line, &answer);
	json_close_object(&answer);
	puts(strbuf_text(&out));
	strbuf_done(&out);
	arena_done(&job.arena);
	return 0;
}

int main(void)
{
	char *text = NULL;
	size_t capacity = 0;
	ssize_t len;
	int result = 0;
	while (result == 0 && (len = getline(&text, &capacity, stdin)) > 0)
		result = answer_line((struct slice){text, (size_t)len});
	free(text);
	return result == 0 ? 0 : 2;
}
