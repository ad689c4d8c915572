/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/eval_line.h"

#include "rules/cel/value.h"
#include "rules/cel_json.h"
#include "rules/json/json.h"

struct job {
	struct arena arena;
	const struct json *line;
	struct cel_variable variables[EVAL_LINE_NAMES_MAX];
	struct cel_value slots[EVAL_LINE_NAMES_MAX];
	size_t count;
	struct err err; /* why it cannot be evaluated at all */
};

static const struct json_limits LIMITS = {EVAL_LINE_BYTES_MAX, EVAL_LINE_DEPTH_MAX, EVAL_LINE_VALUES_MAX};

/* A name for a message; a long one is not cut, as that could be within a letter. */
static struct slice shown(struct slice name)
{
	enum { SHOWN_BYTES = 100 };
	return name.len <= SHOWN_BYTES ? name : SLICE("a long name");
}

/* ---- names and their types */

static const struct cel_type *read_type(struct job *job, const struct json *type);

static const struct cel_type *read_type_parts(struct job *job, const struct json *type)
{
	struct cel_type *made = arena_alloc(&job->arena, sizeof *made);
	const struct json *list = json_get(type, "list"), *map = json_get(type, "map");
	if (list != NULL) {
		*made = (struct cel_type){.kind = CEL_LIST, .item = read_type(job, list)};
		return made;
	}
	if (map == NULL || map->type != JSON_IS_ARRAY || map->count != 2)
		return &cel_type_dyn;
	*made = (struct cel_type){
		.kind = CEL_MAP, .key = read_type(job, &map->items[0]), .item = read_type(job, &map->items[1])};
	return made;
}

/* What is not named below is dyn. Depth is bounded by the JSON reader. */
static const struct cel_type *read_type(struct job *job, const struct json *type)
{
	static const struct {
		const char *name;
		const struct cel_type *type;
	} names[] = {
		{"bool", &cel_type_bool},           {"int", &cel_type_int},           {"uint", &cel_type_uint},
		{"double", &cel_type_double},       {"string", &cel_type_string},     {"bytes", &cel_type_bytes},
		{"timestamp", &cel_type_timestamp}, {"duration", &cel_type_duration}, {"null", &cel_type_null},
	};
	if (type != NULL && type->type == JSON_IS_OBJECT)
		return read_type_parts(job, type);
	for (size_t i = 0; type != NULL && i < sizeof names / sizeof *names; i++)
		if (slice_is(type->text, names[i].name))
			return names[i].type;
	return &cel_type_dyn;
}

static const struct json *member(const struct json *object, struct slice name)
{
	for (size_t i = 0; object != NULL && i < object->count; i++)
		if (slice_equal(object->names[i], name))
			return &object->items[i];
	return NULL;
}

static bool is_declared(const struct job *job, struct slice name)
{
	for (size_t i = 0; i < job->count; i++)
		if (slice_is(name, job->variables[i].name))
			return true;
	return false;
}

static int declare(struct job *job, struct slice name, struct cel_value value)
{
	if (job->count == EVAL_LINE_NAMES_MAX)
		return err_set(&job->err, ERR_EVAL_LINE, "more than %d names", EVAL_LINE_NAMES_MAX);
	if (is_declared(job, name))
		return err_set(&job->err, ERR_EVAL_LINE, "`%.*s` is bound twice", SLICE_ARG(shown(name)));
	const struct cel_type *type = read_type(job, member(json_get(job->line, "declare"), name));
	job->variables[job->count] = (struct cel_variable){arena_memdupz(&job->arena, name.p, name.len), type};
	job->slots[job->count++] = value;
	return 0;
}

/* The member `name` of the line as an object; *ret NULL when it is absent. */
static int read_object(struct job *job, const char *name, const struct json **ret)
{
	*ret = json_get(job->line, name);
	if (*ret == NULL || (*ret)->type == JSON_IS_OBJECT)
		return 0;
	return err_set(&job->err, ERR_EVAL_LINE, "`%s` is no object", name);
}

static int bind_typed(struct job *job)
{
	const struct json *bindings;
	int result = read_object(job, "bindings", &bindings);
	for (size_t i = 0; result == 0 && bindings != NULL && i < bindings->count; i++) {
		struct cel_value value;
		struct err err = ERR_INIT;
		result = cel_from_typed_json(&bindings->items[i], &job->arena, &value, &err);
		if (result != 0)
			err_set(&job->err, err.code, "`%.*s`: %s", SLICE_ARG(shown(bindings->names[i])), err.text);
		else
			result = declare(job, bindings->names[i], value);
	}
	return result;
}

static int bind_plain(struct job *job)
{
	const struct json *bindings = json_get(job->line, "bindings_json");
	if (bindings != NULL && bindings->type == JSON_IS_STRING) {
		bindings = json_read_wide(bindings->text, LIMITS, &job->arena, &job->err);
		if (bindings == NULL)
			return -1;
	}
	if (bindings != NULL && bindings->type != JSON_IS_OBJECT)
		return err_set(&job->err, ERR_EVAL_LINE, "`bindings_json` is no object");
	int result = 0;
	for (size_t i = 0; result == 0 && bindings != NULL && i < bindings->count; i++)
		result = declare(job, bindings->names[i], cel_from_json(&bindings->items[i], &job->arena));
	return result;
}

/* A name that is declared but not bound fails where its value is needed, and only there. */
static int bind_rest(struct job *job)
{
	static const struct cel_error unbound = {ERR_CEL_UNKNOWN_NAME, 0, 0, "no value is bound to this name"};
	const struct json *types;
	int result = read_object(job, "declare", &types);
	for (size_t i = 0; result == 0 && types != NULL && i < types->count; i++)
		if (!is_declared(job, types->names[i]))
			result = declare(job, types->names[i], (struct cel_value){.kind = CEL_ERROR, .as.error = &unbound});
	return result;
}

/* ---- the answer */

static bool is_set(const struct job *job, const char *name)
{
	const struct json *flag = json_get(job->line, name);
	return flag != NULL && flag->type == JSON_IS_BOOL && flag->boolean;
}

static void put_result(struct job *job, const struct cel_program *program, struct json_writer *answer)
{
	struct cel_value value = cel_eval(program, job->slots, &job->arena, CEL_DEFAULT_STEPS);
	if (cel_is_error(value)) {
		json_put_text(answer, "error", slice_of(value.as.error->text));
		return;
	}
	struct strbuf typed = STRBUF_INIT;
	cel_print_typed(&typed, value);
	json_put_raw(answer, "value", (struct slice){typed.bytes, typed.len});
	strbuf_done(&typed);
}

static void run(struct job *job, struct slice text, struct json_writer *answer)
{
	struct slice container = json_get_text(job->line, "container");
	struct cel_env env = {
		.variables = job->variables,
		.variable_count = job->count,
		.container = container.len != 0 ? arena_memdupz(&job->arena, container.p, container.len) : NULL,
		.is_unchecked = is_set(job, "unchecked"),
		.is_lenient = true,
	};
	struct cel_issues issues;
	struct cel_program *program = NULL;
	if (cel_compile(&env, text, NULL, &job->arena, &issues, &program) != 0) {
		json_put_text(answer, "error", slice_of(issues.items[0].message));
		return;
	}
	if (is_set(job, "type"))
		json_put_text(answer, "type", slice_of(cel_type_name(cel_program_type(program), &job->arena)));
	if (!is_set(job, "check_only"))
		put_result(job, program, answer);
	cel_program_done(program);
}

/* A misspelt member would change what is asked without a word. */
static int check_members(struct job *job)
{
	static const char *const known[] = {"id",   "expr",       "bindings",  "bindings_json", "declare",
	                                    "type", "check_only", "unchecked", "container"};
	for (size_t i = 0; i < job->line->count; i++) {
		size_t at = 0;
		while (at < sizeof known / sizeof *known && !slice_is(job->line->names[i], known[at]))
			at++;
		if (at == sizeof known / sizeof *known)
			return err_set(&job->err, ERR_EVAL_LINE, "a question has no member `%.*s`",
			               SLICE_ARG(shown(job->line->names[i])));
	}
	return 0;
}

static int read_line(struct job *job, struct slice line, struct slice *ret_text)
{
	job->line = json_read_wide(line, LIMITS, &job->arena, &job->err);
	if (job->line == NULL)
		return -1;
	if (job->line->type != JSON_IS_OBJECT)
		return err_set(&job->err, ERR_EVAL_LINE, "the line is no object");
	if (check_members(job) != 0)
		return -1;
	const struct json *text = json_get(job->line, "expr");
	if (text == NULL || text->type != JSON_IS_STRING)
		return err_set(&job->err, ERR_EVAL_LINE, "`expr` is missing or no text");
	*ret_text = text->text;
	return bind_typed(job) == 0 && bind_plain(job) == 0 ? bind_rest(job) : -1;
}

void eval_line(struct slice line, struct strbuf *out)
{
	struct job job = {.arena = ARENA_INIT, .err = ERR_INIT};
	struct json_writer answer = JSON_WRITER(out);
	struct slice text = SLICE_NONE;
	int result = read_line(&job, line, &text);
	json_open_object(&answer, NULL);
	const struct json *id = json_get(job.line, "id");
	json_put_value(&answer, SLICE("id"), id != NULL ? id : &(const struct json){.type = JSON_IS_NULL});
	if (result == 0)
		run(&job, text, &answer);
	else
		json_put_text(&answer, "error", slice_of(job.err.text));
	json_close_object(&answer);
	arena_done(&job.arena);
}

void eval_line_refuse(const char *why, struct strbuf *out)
{
	struct json_writer answer = JSON_WRITER(out);
	json_open_object(&answer, NULL);
	json_put_null(&answer, "id");
	json_put_text(&answer, "error", slice_of(why));
	json_close_object(&answer);
}
