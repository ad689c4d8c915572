/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs tests/rules/cel/ *.test. A case is an expression, an optional line of bindings, and the whole of what comes out:
 *
 *     x + 1 > 2
 *     with {"x": 2}
 *     = true
 *
 *     lead.sorce == "web"
 *     error[LR604]: unknown field `sorce` on lead
 *     | lead.sorce == "web"
 *     |      ^^^^^ did you mean `source`?
 *     note: fields: source, …
 *
 * Blank lines separate cases, `#` begins a comment. Bindings are a CEL map; their names are declared with the types of
 * their values. An expression may go over several lines, each further one begins with two blanks. UPDATE=1 rewrites the
 * expected parts: review the difference.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "rules/cel/conjunct.h"
#include "rules/cel/value.h"

static const char FOLDER[] = "tests/rules/cel";

enum { MAX_VARIABLES = 16, MAX_FILE_BYTES = 1 << 20 };

/* ---- the lead that all files share; its values are written in CEL too */

struct record {
	const char *values[12]; /* CEL text per field; NULL: absent */
};

static struct cel_value record_get(const struct record *record, const struct cel_field *fields, uint32_t field,
				   struct arena *scratch)
{
	static const struct cel_env none = {.is_lenient = true};
	struct cel_issues issues;
	struct cel_program *program;
	if (record->values[field] == NULL)
		return cel_zero(fields[field].type);
	int result = cel_compile(&none, slice_of(record->values[field]), NULL, scratch, &issues, &program);
	assert_int_equal(result, 0);
	return cel_eval(program, NULL, scratch, CEL_DEFAULT_STEPS);
}

static const struct cel_field company_fields[] = {{"name", &cel_type_string, false},
						  {"domain", &cel_type_string, true},
						  {"employees", &cel_type_int, true},
						  {"industry", &cel_type_string, true}};
static const struct record company = {{"'Acme'", "'acme.example'", NULL, "'software'"}};

static struct cel_value company_get(const void *self, uint32_t field, struct arena *scratch)
{
	return record_get(self, company_fields, field, scratch);
}

static bool company_has(const void *self, uint32_t field)
{
	return ((const struct record *)self)->values[field] != NULL;
}

static const struct cel_object_type company_object = {"company", company_fields, 4, company_get, company_has, NULL};
static const struct cel_type company_type = {.kind = CEL_OBJECT, .object = &company_object};
static const struct cel_object acme = {&company_object, &company};

static const struct cel_field lead_fields[] = {
	{"source", &cel_type_string, false},	     {"intent", &cel_type_string, true},
	{"email", &cel_type_string, true},	     {"company", &company_type, false},
	{"score", &cel_type_int, false},	     {"budget", &cel_type_double, true},
	{"captured_at", &cel_type_timestamp, false}, {"tags", &cel_type_strings, false},
	{"attributes", &cel_type_map, false},	     {"is_known", &cel_type_bool, true},
};
static const struct record lead = {{"'web'", "'high'", NULL, NULL, "62", NULL, "timestamp('2026-03-02T08:30:00Z')",
				    "['vip', 'demo']", "{'plan': 'pro', 'seats': 5}", NULL}};

static struct cel_value lead_get(const void *self, uint32_t field, struct arena *scratch)
{
	return field == 3 ? cel_object(&acme) : record_get(self, lead_fields, field, scratch);
}

static bool lead_has(const void *self, uint32_t field)
{
	return field == 3 || ((const struct record *)self)->values[field] != NULL;
}

static const struct cel_object_type lead_object = {"lead", lead_fields, 10, lead_get, lead_has, NULL};
static const struct cel_type lead_type = {.kind = CEL_OBJECT, .object = &lead_object};
static const struct cel_object the_lead = {&lead_object, &lead};

/* ---- one case */

struct lines {
	char *at; /* rest of the file; lines are cut by NULs */
};

struct test_case {
	struct strbuf text, expected;
	char *bindings;
};

struct world {
	struct arena arena;
	struct cel_variable variables[MAX_VARIABLES];
	struct cel_value slots[MAX_VARIABLES];
	size_t count;
};

static void declare(struct world *world, const char *name, const struct cel_type *type, struct cel_value value)
{
	assert_true(world->count < MAX_VARIABLES);
	world->variables[world->count] = (struct cel_variable){name, type};
	world->slots[world->count++] = value;
}

static void bind(struct world *world, const char *bindings)
{
	static const struct cel_env none = {.is_lenient = true};
	struct cel_issues issues;
	struct cel_program *program;
	if (cel_compile(&none, slice_of(bindings), NULL, &world->arena, &issues, &program) != 0)
		fail_msg("with %s: %s", bindings, issues.items[0].message);
	struct cel_value value = cel_eval(program, NULL, &world->arena, CEL_DEFAULT_STEPS);
	assert_int_equal(value.kind, CEL_MAP);
	for (uint32_t i = 0; i < value.as.map->count; i++) {
		const struct cel_entry *entry = &value.as.map->entries[i];
		declare(world, arena_memdupz(&world->arena, entry->key.as.bytes, entry->key.len),
			cel_type_of(entry->value), entry->value);
	}
}

/* The line of the text that holds `offset`. */
static struct slice line_at(struct slice text, size_t offset, size_t *ret_start)
{
	size_t start = offset, end = offset;
	while (start > 0 && text.p[start - 1] != '\n')
		start--;
	while (end < text.len && text.p[end] != '\n')
		end++;
	*ret_start = start;
	return (struct slice){text.p + start, end - start};
}

static size_t columns(struct slice text)
{
	size_t count = 0;
	for (size_t i = 0; i < text.len; i++)
		count += ((unsigned char)text.p[i] & 0xc0) != 0x80;
	return count;
}

static void print_caret(struct strbuf *out, struct slice text, size_t offset, size_t length, const char *help)
{
	size_t start;
	struct slice line = line_at(text, offset, &start);
	strbuf_printf(out, "| %.*s\n|", SLICE_ARG(line));
	for (size_t i = columns((struct slice){line.p, offset - start}) + 1; i > 0; i--)
		strbuf_putc(out, ' ');
	size_t shown = offset + length > start + line.len ? start + line.len - offset : length;
	size_t width = columns((struct slice){text.p + offset, shown});
	for (size_t i = 0; i < (width > 0 ? width : 1); i++)
		strbuf_putc(out, '^');
	strbuf_printf(out, "%s%s\n", help != NULL ? " " : "", help != NULL ? help : "");
}

static void print_issues(struct strbuf *out, struct slice text, const struct cel_issues *issues)
{
	for (size_t i = 0; i < issues->count; i++) {
		const struct cel_issue *issue = &issues->items[i];
		strbuf_printf(out, "%s[%s]: %s\n", issue->severity == CEL_REFUSED ? "error" : "warning",
			      err_number(issue->code), issue->message);
		print_caret(out, text, issue->offset, issue->length, issue->help);
		if (issue->note != NULL)
			strbuf_printf(out, "note: %s\n", issue->note);
	}
}

static void print_value(struct strbuf *out, struct slice text, struct cel_value value)
{
	if (value.kind != CEL_ERROR) {
		strbuf_puts(out, "= ");
		cel_print(out, value);
		strbuf_putc(out, '\n');
		return;
	}
	strbuf_printf(out, "fails[%s]: %s\n", err_number(value.as.error->code), value.as.error->text);
	print_caret(out, text, value.as.error->offset, value.as.error->length, NULL);
}

static void run_case(const struct test_case *test, struct strbuf *out)
{
	struct world world = {.arena = ARENA_INIT};
	declare(&world, "lead", &lead_type, cel_object(&the_lead));
	declare(&world, "now", &cel_type_timestamp, cel_timestamp(1772442000, 0)); /* 2026-03-02T09:00:00Z */
	if (test->bindings != NULL)
		bind(&world, test->bindings);
	struct cel_env env = {.variables = world.variables, .variable_count = world.count};
	struct slice text = {test->text.bytes, test->text.len};
	struct cel_issues issues;
	struct cel_program *program = NULL;
	int result = cel_compile(&env, text, NULL, &world.arena, &issues, &program);
	print_issues(out, text, &issues);
	if (result == 0)
		print_value(out, text, cel_eval(program, world.slots, &world.arena, CEL_DEFAULT_STEPS));
	cel_program_done(program);
	arena_done(&world.arena);
}

/* ---- files */

static char *read_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	assert_non_null(file);
	char *text = calloc(1, MAX_FILE_BYTES);
	size_t len = fread(text, 1, MAX_FILE_BYTES - 1, file);
	assert_true(len < MAX_FILE_BYTES - 1);
	fclose(file);
	return text;
}

static char *next_line(struct lines *lines)
{
	char *line = lines->at, *end = strchr(line, '\n');
	if (*line == '\0')
		return NULL;
	if (end != NULL)
		*end = '\0';
	lines->at = end != NULL ? end + 1 : line + strlen(line);
	return line;
}

static void finish_case(struct test_case *test, struct strbuf *rewritten, int *failures)
{
	if (test->text.len == 0)
		return;
	struct strbuf got = STRBUF_INIT;
	run_case(test, &got);
	strbuf_printf(rewritten, "%s", strbuf_text(&got));
	if (getenv("UPDATE") == NULL && strcmp(strbuf_text(&got), strbuf_text(&test->expected)) != 0) {
		print_error("%s\nexpected:\n%sgot:\n%s\n", strbuf_text(&test->text), strbuf_text(&test->expected),
			    strbuf_text(&got));
		++*failures;
	}
	strbuf_done(&got);
	strbuf_clear(&test->text);
	strbuf_clear(&test->expected);
	test->bindings = NULL;
}

/* Adds a line to the case that is being read, and to the new form of the file unless it is an expectation. */
static void take_line(struct test_case *test, char *line, struct strbuf *rewritten)
{
	if (strncmp(line, "with ", 5) == 0)
		test->bindings = line + 5;
	else if (test->text.len == 0)
		strbuf_puts(&test->text, line);
	else if (strncmp(line, "  ", 2) == 0)
		strbuf_printf(&test->text, "\n%s", line);
	else {
		strbuf_printf(&test->expected, "%s\n", line);
		return;
	}
	strbuf_printf(rewritten, "%s\n", line);
}

static int run_file(const char *path)
{
	char *text = read_file(path), *line;
	struct lines lines = {text};
	struct test_case test = {STRBUF_INIT, STRBUF_INIT, NULL};
	struct strbuf rewritten = STRBUF_INIT;
	int failures = 0;
	while ((line = next_line(&lines)) != NULL) {
		bool is_break = *line == '\0' || (*line == '#' && test.text.len == 0);
		if (!is_break) {
			take_line(&test, line, &rewritten);
			continue;
		}
		finish_case(&test, &rewritten, &failures);
		strbuf_printf(&rewritten, "%s\n", line);
	}
	finish_case(&test, &rewritten, &failures);
	if (getenv("UPDATE") != NULL) {
		FILE *file = fopen(path, "wb");
		assert_non_null(file);
		fputs(strbuf_text(&rewritten), file);
		fclose(file);
	}
	strbuf_done(&rewritten);
	strbuf_done(&test.text);
	strbuf_done(&test.expected);
	free(text);
	return failures;
}

static void every_file_holds(void **state)
{
	(void)state;
	DIR *dir = opendir(FOLDER);
	assert_non_null(dir);
	int failures = 0, files = 0;
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		char path[512];
		if (strstr(entry->d_name, ".test") == NULL)
			continue;
		snprintf(path, sizeof path, "%s/%s", FOLDER, entry->d_name);
		failures += run_file(path);
		files++;
	}
	closedir(dir);
	assert_true(files > 0);
	assert_int_equal(failures, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_file_holds)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
