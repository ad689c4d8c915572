/* SPDX-License-Identifier: Apache-2.0
 *
 * The list of issues, bounded, and the nearest name to a mistyped one.
 */
#include "rules/cel/issue.h"

#include <stdarg.h>
#include <stdio.h>

enum { MESSAGE_BYTES = 400, NAME_BYTES = 64 };

__attribute__((format(printf, 2, 0))) static const char *format_text(struct arena *arena,
								      const char *format, va_list args)
{
	char text[MESSAGE_BYTES];
	int len = vsnprintf(text, sizeof text, format, args);
	size_t kept = len < 0 ? 0 : (size_t)len < sizeof text ? (size_t)len : sizeof text - 1;
	for (size_t i = 0; i < kept; i++)
		if ((unsigned char)text[i] < 0x20)
			text[i] = ' '; /* one line, whatever the expression held */
	return arena_memdupz(arena, text, kept);
}

__attribute__((format(printf, 4, 0))) static struct cel_issue *
add(struct cel_issues *issues, struct arena *arena, const struct cel_issue *head, const char *format, va_list args)
{
	if (head->severity == CEL_REFUSED)
		issues->is_refused = true;
	if (issues->count == CEL_MAX_ISSUES) {
		issues->omitted++;
		return NULL;
	}
	struct cel_issue *issue = &issues->items[issues->count++];
	*issue = *head;
	issue->message = format_text(arena, format, args);
	return issue;
}

struct cel_issue *issue_refuse(struct cel_issues *issues, struct arena *arena, enum err_code code, struct extent span,
			       const char *format, ...)
{
	struct cel_issue head = {
		.code = code, .severity = CEL_REFUSED, .offset = span.offset, .length = span.length};
	va_list args;
	va_start(args, format);
	struct cel_issue *issue = add(issues, arena, &head, format, args);
	va_end(args);
	return issue;
}

struct cel_issue *issue_warn(struct cel_issues *issues, struct arena *arena, enum err_code code, struct extent span,
			     const char *format, ...)
{
	struct cel_issue head = {
		.code = code, .severity = CEL_WARNING, .offset = span.offset, .length = span.length};
	va_list args;
	va_start(args, format);
	struct cel_issue *issue = add(issues, arena, &head, format, args);
	va_end(args);
	return issue;
}

void issue_help(struct cel_issue *issue, struct arena *arena, const char *format, ...)
{
	if (issue == NULL)
		return;
	va_list args;
	va_start(args, format);
	issue->help = format_text(arena, format, args);
	va_end(args);
}

/* ---- did you mean */

static size_t smallest(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;
	return least < c ? least : c;
}

static char lower(char byte)
{
	return byte >= 'A' && byte <= 'Z' ? (char)(byte + 32) : byte;
}

/* Edit distance with swapped neighbours as one edit; case does not count. Both texts fit NAME_BYTES. */
static size_t edit_distance(struct slice a, struct slice b)
{
	size_t rows[3][NAME_BYTES + 1];
	for (size_t k = 0; k <= b.len; k++)
		rows[0][k] = k;
	for (size_t i = 1; i <= a.len; i++) {
		size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
		row[0] = i;
		for (size_t k = 1; k <= b.len; k++) {
			char x = lower(a.p[i - 1]), y = lower(b.p[k - 1]);
			row[k] = smallest(above[k] + 1, row[k - 1] + 1, above[k - 1] + (x != y));
			bool is_swap = i > 1 && k > 1 && x == lower(b.p[k - 2]) && y == lower(a.p[i - 2]);
			if (is_swap && before[k - 2] + 1 < row[k])
				row[k] = before[k - 2] + 1;
		}
	}
	return rows[a.len % 3][b.len];
}

void nearest_consider(struct nearest *nearest, const char *candidate)
{
	struct slice name = slice_of(candidate);
	if (name.len > NAME_BYTES || nearest->wanted.len > NAME_BYTES || nearest->wanted.len == 0)
		return;
	size_t distance = edit_distance(nearest->wanted, name);
	size_t allowed = nearest->wanted.len <= 3 ? 1 : nearest->wanted.len <= 7 ? 2 : 3;
	if (distance > allowed || distance >= name.len || (nearest->best != NULL && distance >= nearest->distance))
		return;
	nearest->best = candidate;
	nearest->distance = distance;
}
