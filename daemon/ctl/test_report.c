/* SPDX-License-Identifier: Apache-2.0
 *
 * Results for people (text), for harnesses (TAP 14) and for programs (JSON lines), and the list of requirements.
 */
#include <stdlib.h>

#include "daemon/ctl/test.h"
#include "rules/base/mem.h"
#include "rules/json/json.h"
#include "rules/json/tree.h"

static void put_indented(struct strbuf *out, const char *indent, struct slice text)
{
	while (text.len > 0) {
		const char *end = memchr(text.p, '\n', text.len);
		size_t len = end != NULL ? (size_t)(end - text.p) : text.len;
		strbuf_printf(out, "%s%.*s\n", indent, (int)len, text.p);
		text.p += len + (end != NULL);
		text.len -= len + (end != NULL);
	}
}

static void put_step(const struct test_result *result, struct strbuf *out)
{
	strbuf_printf(out, "step %zu (%s:%u) at ", result->step_number, result->file->path, node_line(result->step->node));
	test_time_put(out, result->at_ms, result->file->zone);
	strbuf_putc(out, '\n');
}

static void put_difference(const struct test_result *result, const struct test_difference *difference, bool colour,
                           struct strbuf *out)
{
	strbuf_printf(out, "%s (%s:%u)\n", difference->field, result->file->path, difference->line);
	strbuf_printf(out, "    expected  %s%s%s\n", colour ? "\033[32m" : "", difference->expected, colour ? "\033[0m" : "");
	strbuf_printf(out, "    actual    %s%s%s\n", colour ? "\033[31m" : "", difference->actual, colour ? "\033[0m" : "");
}

/* Step, differences, and what happened instead. */
static void put_failure(const struct test_result *result, bool colour, struct strbuf *out)
{
	put_step(result, out);
	for (size_t i = 0; i < result->differences.count; i++)
		put_difference(result, &result->differences.items[i], colour, out);
	if (result->trace.len != 0)
		strbuf_puts(out, "what happened:\n");
	put_indented(out, "    ", (struct slice){strbuf_text(&result->trace), result->trace.len});
}

void test_report_text(const struct test_result *result, bool colour, struct strbuf *out)
{
	const char *word = result->has_failed ? "FAIL" : "ok  ";
	const char *paint = !colour ? "" : result->has_failed ? "\033[31m" : "\033[32m";
	strbuf_printf(out, "%s%s%s  %s:%u  %.*s\n", paint, word, colour ? "\033[0m" : "", result->file->path,
	              node_line(result->test->node), SLICE_ARG(result->test->name));
	struct strbuf text = STRBUF_INIT;
	if (result->has_failed)
		put_failure(result, colour, &text);
	else
		strbuf_append(&text, strbuf_text(&result->trace), result->trace.len);
	put_indented(out, "      ", (struct slice){text.bytes, text.len});
	strbuf_done(&text);
}

/* '#' and '\' mean something in a TAP line. */
static void put_tap_name(struct strbuf *out, struct slice name)
{
	for (size_t i = 0; i < name.len; i++) {
		if (name.p[i] == '#' || name.p[i] == '\\')
			strbuf_putc(out, '\\');
		strbuf_putc(out, name.p[i] == '\n' ? ' ' : name.p[i]);
	}
}

/* A double-quoted YAML scalar is a JSON string. */
static void put_yaml_text(struct strbuf *out, const char *text)
{
	struct json_writer writer = JSON_WRITER(out);
	json_put_text(&writer, NULL, slice_of(text));
	strbuf_putc(out, '\n');
}

/* What happened instead, as a YAML block scalar. Its indentation is said, as the first line may begin with blanks. */
static void put_tap_trace(const struct test_result *result, struct strbuf *out)
{
	if (result->trace.len == 0)
		return;
	strbuf_puts(out, "  trace: |2\n");
	put_indented(out, "    ", (struct slice){strbuf_text(&result->trace), result->trace.len});
}

static void put_tap_failure(const struct test_result *result, struct strbuf *out)
{
	strbuf_puts(out, "  ---\n  at:\n    file: ");
	put_yaml_text(out, result->file->path);
	strbuf_printf(out, "    line: %u\n  differences:\n", node_line(result->step->node));
	for (size_t i = 0; i < result->differences.count; i++) {
		const struct test_difference *difference = &result->differences.items[i];
		strbuf_puts(out, "    - field: ");
		put_yaml_text(out, difference->field);
		strbuf_puts(out, "      expected: ");
		put_yaml_text(out, difference->expected);
		strbuf_puts(out, "      actual: ");
		put_yaml_text(out, difference->actual);
		strbuf_printf(out, "      line: %u\n", difference->line);
	}
	put_tap_trace(result, out);
	strbuf_puts(out, "  ...\n");
}

void test_report_tap(const struct test_result *result, size_t number, struct strbuf *out)
{
	strbuf_printf(out, "%s %zu - %s: ", result->has_failed ? "not ok" : "ok", number, result->file->path);
	put_tap_name(out, result->test->name);
	strbuf_putc(out, '\n');
	if (result->has_failed)
		put_tap_failure(result, out);
}

static void put_json_trace(struct json_writer *writer, const struct test_result *result)
{
	json_put_text(writer, "trace", (struct slice){strbuf_text(&result->trace), result->trace.len});
}

static void put_json_failure(struct json_writer *writer, const struct test_result *result)
{
	json_put_int(writer, "step", (int64_t)result->step_number);
	json_put_int(writer, "step_line", node_line(result->step->node));
	json_put_time(writer, "at", result->at_ms);
	json_open_array(writer, "differences");
	for (size_t i = 0; i < result->differences.count; i++) {
		const struct test_difference *difference = &result->differences.items[i];
		json_open_object(writer, NULL);
		json_put_text(writer, "field", slice_of(difference->field));
		json_put_text(writer, "expected", slice_of(difference->expected));
		json_put_text(writer, "actual", slice_of(difference->actual));
		json_put_int(writer, "line", difference->line);
		json_close_object(writer);
	}
	json_close_array(writer);
	put_json_trace(writer, result);
}

void test_report_json(const struct test_result *result, struct strbuf *out)
{
	struct json_writer writer = JSON_WRITER(out);
	json_open_object(&writer, NULL);
	json_put_text(&writer, "file", slice_of(result->file->path));
	json_put_int(&writer, "line", node_line(result->test->node));
	json_put_text(&writer, "test", result->test->name);
	json_open_array(&writer, "ids");
	for (size_t i = 0; i < result->test->id_count; i++)
		json_put_text(&writer, NULL, result->test->ids[i]);
	json_close_array(&writer);
	json_put_text(&writer, "result", result->has_failed ? SLICE("failed") : SLICE("passed"));
	if (result->has_failed)
		put_json_failure(&writer, result);
	else if (result->trace.len != 0)
		put_json_trace(&writer, result);
	json_close_object(&writer);
	strbuf_putc(out, '\n');
}

/* ---- requirements */

struct tally {
	struct slice id;
	size_t passed, failed;
};

static int by_id(const void *left, const void *right)
{
	return slice_compare(((const struct tally *)left)->id, ((const struct tally *)right)->id);
}

static void count_id(struct tally *tallies, size_t *count, struct slice id, bool has_failed)
{
	size_t at = 0;
	while (at < *count && !slice_equal(tallies[at].id, id))
		at++;
	if (at == *count)
		tallies[(*count)++] = (struct tally){.id = id};
	tallies[at].passed += !has_failed;
	tallies[at].failed += has_failed;
}

void test_report_ids(struct test_result *const *results, size_t count, struct strbuf *out)
{
	struct tally *tallies = xcalloc(count * TEST_IDS_MAX + 1, sizeof *tallies);
	size_t ids = 0;
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < results[i]->test->id_count; j++)
			count_id(tallies, &ids, results[i]->test->ids[j], results[i]->has_failed);
	qsort(tallies, ids, sizeof *tallies, by_id);
	for (size_t i = 0; i < ids; i++)
		strbuf_printf(out, "%-20.*s %s  %zu of %zu\n", SLICE_ARG(tallies[i].id), tallies[i].failed ? "FAIL" : "pass",
		              tallies[i].passed, tallies[i].passed + tallies[i].failed);
	free(tallies);
}
