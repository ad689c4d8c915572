/* SPDX-License-Identifier: Apache-2.0
 *
 * CSV as RFC 4180 has it, with the place of every field, and as spreadsheets write it: a byte order mark is skipped, a
 * line may end in LF or CRLF, empty lines are skipped, and the delimiter is the one of the first line that is most
 * frequent there (comma, semicolon or tab). Fields are borrowed from the text unless they hold doubled quotes.
 */
#ifndef LR_RULES_CSV_H
#define LR_RULES_CSV_H

#include <stddef.h>

#include "rules/base/slice.h"

struct arena;

enum { CSV_FIELDS_MAX = 32 };

struct csv_field {
	struct slice value; /* unquoted, blanks around an unquoted field removed */
	size_t offset, len; /* where it is in the text, quotes included */
};

struct csv_row {
	struct csv_field fields[CSV_FIELDS_MAX];
	size_t count;
	size_t offset; /* of its first byte */
};

struct csv {
	struct slice text;
	size_t at;
	char delimiter;
	struct arena *arena; /* for fields with doubled quotes */
	/* set when csv_next returns CSV_BAD */
	const char *problem;
	size_t problem_at;
};

enum csv_result { CSV_ROW, CSV_END, CSV_BAD };

/* `text` is borrowed and must outlive the rows. */
void csv_init(struct csv *csv, struct slice text, struct arena *arena);
/* After CSV_BAD there is nothing more to read. */
enum csv_result csv_next(struct csv *csv, struct csv_row *ret_row);

#endif
