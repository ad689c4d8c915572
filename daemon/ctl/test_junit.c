/* SPDX-License-Identifier: Apache-2.0
 *
 * Results as JUnit XML, as build servers read it: a suite per file, a case per test. XML 1.0 has no form at all for most
 * control characters, so they become U+FFFD.
 */
#include "daemon/ctl/test.h"
#include "rules/json/tree.h"

static void put_escaped(struct strbuf *out, struct slice text, bool is_attribute)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.p[i];
		switch (c) {
		case '&':
			strbuf_puts(out, "&amp;");
			break;
		case '<':
			strbuf_puts(out, "&lt;");
			break;
		case '>':
			strbuf_puts(out, "&gt;");
			break;
		case '"':
			strbuf_puts(out, "&quot;");
			break;
		case '\n':
		case '\t':
			if (is_attribute) /* else a reader would make a space of it */
				strbuf_printf(out, "&#%d;", c);
			else
				strbuf_putc(out, (char)c);
			break;
		default:
			if (c < 0x20)
				strbuf_puts(out, "\xEF\xBF\xBD");
			else
				strbuf_putc(out, (char)c);
		}
	}
}

static void put_attribute(struct strbuf *out, const char *name, struct slice value)
{
	strbuf_printf(out, " %s=\"", name);
	put_escaped(out, value, true);
	strbuf_putc(out, '"');
}

static void put_counts(struct strbuf *out, struct test_result *const *results, size_t count, size_t faults)
{
	size_t failed = 0;
	for (size_t i = 0; i < count; i++)
		failed += results[i]->has_failed;
	strbuf_printf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"0\"", count + faults, failed, faults);
}

static void put_failure(struct strbuf *out, const struct test_result *result)
{
	struct strbuf text = STRBUF_INIT;
	const struct test_difference *first = &result->differences.items[0];
	strbuf_printf(&text, "%s: expected %s, got %s", first->field, first->expected, first->actual);
	strbuf_puts(out, "      <failure type=\"difference\"");
	put_attribute(out, "message", (struct slice){text.bytes, text.len});
	strbuf_puts(out, ">");
	strbuf_clear(&text);
	test_report_text(result, false, &text);
	put_escaped(out, (struct slice){text.bytes, text.len}, false);
	strbuf_puts(out, "</failure>\n");
	strbuf_done(&text);
}

static void put_case(struct strbuf *out, const struct test_result *result)
{
	strbuf_puts(out, "    <testcase");
	put_attribute(out, "name", result->test->name);
	put_attribute(out, "classname", slice_of(result->file->path));
	put_attribute(out, "file", slice_of(result->file->path));
	strbuf_printf(out, " line=\"%u\"", node_line(result->test->node));
	if (!result->has_failed) {
		strbuf_puts(out, "/>\n");
		return;
	}
	strbuf_puts(out, ">\n");
	put_failure(out, result);
	strbuf_puts(out, "    </testcase>\n");
}

static void put_suite(struct strbuf *out, struct test_result *const *results, size_t count)
{
	strbuf_puts(out, "  <testsuite");
	put_attribute(out, "name", slice_of(results[0]->file->path));
	put_counts(out, results, count, 0);
	strbuf_puts(out, ">\n");
	for (size_t i = 0; i < count; i++)
		put_case(out, results[i]);
	strbuf_puts(out, "  </testsuite>\n");
}

/* A suite of its own: nothing in it failed, it could not be run. */
static void put_fault(struct strbuf *out, const struct test_fault *fault)
{
	strbuf_puts(out, "  <testsuite");
	put_attribute(out, "name", slice_of(fault->path));
	put_counts(out, NULL, 0, 1);
	strbuf_puts(out, ">\n    <testcase name=\"configuration\"");
	put_attribute(out, "classname", slice_of(fault->path));
	strbuf_puts(out, ">\n      <error type=\"invalid\" message=\"the test file or its configuration is invalid\">");
	put_escaped(out, slice_of(fault->text), false);
	strbuf_puts(out, "</error>\n    </testcase>\n  </testsuite>\n");
}

void test_report_junit(struct test_result *const *results, size_t count, const struct test_fault *faults, size_t fault_count,
                       struct strbuf *out)
{
	strbuf_puts(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"leadctl test\"");
	put_counts(out, results, count, fault_count);
	strbuf_puts(out, ">\n");
	for (size_t from = 0, to = 0; from < count; from = to) {
		while (to < count && results[to]->file == results[from]->file)
			to++;
		put_suite(out, &results[from], to - from);
	}
	for (size_t i = 0; i < fault_count; i++)
		put_fault(out, &faults[i]);
	strbuf_puts(out, "</testsuites>\n");
}
