/* SPDX-License-Identifier: Apache-2.0
 *
 * rules/csv: fields lie inside the text, and what was read, written again with every field quoted, reads the same.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/base/arena.h"
#include "rules/base/strbuf.h"
#include "rules/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void put_quoted(struct strbuf *out, struct slice value)
{
	strbuf_putc(out, '"');
	for (size_t i = 0; i < value.len; i++) {
		if (value.p[i] == '"')
			strbuf_putc(out, '"');
		strbuf_putc(out, value.p[i]);
	}
	strbuf_putc(out, '"');
}

static void write_row(struct strbuf *out, const struct csv_row *row)
{
	for (size_t i = 0; i < row->count; i++) {
		if (i != 0)
			strbuf_putc(out, ',');
		put_quoted(out, row->fields[i].value);
	}
	strbuf_putc(out, '\n');
}

static enum csv_result write_all(struct slice text, struct arena *arena, struct strbuf *out)
{
	struct csv csv;
	struct csv_row row;
	enum csv_result result;
	csv_init(&csv, text, arena);
	while ((result = csv_next(&csv, &row)) == CSV_ROW) {
		assert(row.count > 0 && row.count <= CSV_FIELDS_MAX);
		for (size_t i = 0; i < row.count; i++)
			assert(row.fields[i].offset + row.fields[i].len <= text.len);
		write_row(out, &row);
	}
	assert(result == CSV_END || (csv.problem != NULL && csv.problem_at <= text.len));
	return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct arena arena = ARENA_INIT;
	struct strbuf first = STRBUF_INIT, second = STRBUF_INIT;
	if (write_all((struct slice){(const char *)bytes, size}, &arena, &first) == CSV_END && first.len != 0) {
		/* The delimiter is guessed outside of quotes, so there is nothing but commas to count. */
		assert(write_all((struct slice){first.bytes, first.len}, &arena, &second) == CSV_END);
		assert(first.len == second.len && memcmp(first.bytes, second.bytes, first.len) == 0);
	}
	strbuf_done(&first);
	strbuf_done(&second);
	arena_done(&arena);
	return 0;
}
