/* SPDX-License-Identifier: Apache-2.0
 *
 * Methods of strings: the core ones and the "strings" extension. Positions count code points.
 */
#include "rules/cel/run.h"
#include "rules/cel/std_format.h"
#include "rules/cel/stdlib.h"
#include "rules/cel/utf8.h"
#include "rules/text/regex.h"

static struct slice text(struct cel_value value)
{
	return cel_slice(value);
}

static bool has_suffix(struct slice s, struct slice suffix)
{
	return s.len >= suffix.len && (suffix.len == 0 || memcmp(s.p + s.len - suffix.len, suffix.p, suffix.len) == 0);
}

/* Byte position of `part` at or after `from`; -1 when absent. */
static int64_t find_from(struct slice s, struct slice part, size_t from)
{
	if (part.len == 0)
		return from <= s.len ? (int64_t)from : -1;
	if (from >= s.len)
		return -1;
	const char *found = memmem(s.p + from, s.len - from, part.p, part.len);
	return found != NULL ? found - s.p : -1;
}

static struct cel_value text_contains(struct cel_run *run, const struct cel_value *args)
{
	if (!run_spend(run, args[0].len / 64))
		return run_exhausted(run);
	return cel_bool(find_from(text(args[0]), text(args[1]), 0) >= 0);
}

static struct cel_value text_starts_with(struct cel_run *run, const struct cel_value *args)
{
	(void)run;
	return cel_bool(slice_has_prefix(text(args[0]), text(args[1])));
}

static struct cel_value text_ends_with(struct cel_run *run, const struct cel_value *args)
{
	(void)run;
	return cel_bool(has_suffix(text(args[0]), text(args[1])));
}

/* A pattern that is only known while evaluating: compiled, used and thrown away. Dear, and so are its steps. */
static struct cel_value text_matches(struct cel_run *run, const struct cel_value *args)
{
	enum { COMPILE_STEPS = 1000 };
	if (!run_spend(run, COMPILE_STEPS + args[0].len / 16))
		return run_exhausted(run);
	struct err err = ERR_INIT;
	struct regex *regex = regex_compile(text(args[1]), &err);
	if (regex == NULL)
		return cel_fail(run, ERR_CEL_PATTERN, "%s", err.text);
	bool is_match = regex_search(regex, text(args[0]));
	regex_free(regex);
	return cel_bool(is_match);
}

/* ---- the extension */

static struct cel_value out_of_range(struct cel_run *run, int64_t index)
{
	return cel_fail(run, ERR_CEL_INDEX, "index out of range: %lld", (long long)index);
}

/* Byte offset of code point `index`; false when there are fewer. */
static bool offset_of(struct slice s, int64_t index, size_t *ret_offset)
{
	if (index < 0 || (uint64_t)index > s.len)
		return false;
	size_t at = 0;
	for (; index > 0 && at < s.len; index--)
		at += utf8_width(s.p[at]);
	*ret_offset = at;
	return index == 0;
}

static int64_t index_at(struct slice s, size_t offset)
{
	return (int64_t)utf8_count((struct slice){s.p, offset});
}

static struct slice part_of(struct slice s, size_t from, size_t to)
{
	return (struct slice){s.len != 0 ? s.p + from : s.p, to - from};
}

static struct cel_value text_char_at(struct cel_run *run, const struct cel_value *args)
{
	struct slice s = text(args[0]);
	size_t at;
	if (!offset_of(s, args[1].as.integer, &at))
		return out_of_range(run, args[1].as.integer);
	return cel_string(part_of(s, at, at < s.len ? at + utf8_width(s.p[at]) : at));
}

static struct cel_value text_index_of(struct cel_run *run, const struct cel_value *args)
{
	if (!run_spend(run, args[0].len / 64))
		return run_exhausted(run);
	int64_t at = find_from(text(args[0]), text(args[1]), 0);
	return cel_int(at < 0 ? -1 : index_at(text(args[0]), (size_t)at));
}

static struct cel_value text_index_of_from(struct cel_run *run, const struct cel_value *args)
{
	size_t from;
	if (!run_spend(run, args[0].len / 64))
		return run_exhausted(run);
	if (!offset_of(text(args[0]), args[2].as.integer, &from))
		return out_of_range(run, args[2].as.integer);
	int64_t at = find_from(text(args[0]), text(args[1]), from);
	return cel_int(at < 0 ? -1 : index_at(text(args[0]), (size_t)at));
}

/* The last occurrence that starts at or before byte `from`. */
static int64_t find_last(struct slice s, struct slice part, size_t from)
{
	if (part.len > s.len)
		return -1;
	if (from > s.len - part.len)
		from = s.len - part.len;
	for (size_t at = from + 1; at-- > 0;)
		if (part.len == 0 || memcmp(s.p + at, part.p, part.len) == 0)
			return (int64_t)at;
	return -1;
}

static struct cel_value last_index(struct cel_run *run, const struct cel_value *args, size_t from)
{
	if (!run_spend(run, 1 + args[0].len / 4))
		return run_exhausted(run);
	int64_t at = find_last(text(args[0]), text(args[1]), from);
	return cel_int(at < 0 ? -1 : index_at(text(args[0]), (size_t)at));
}

static struct cel_value text_last_index_of(struct cel_run *run, const struct cel_value *args)
{
	return last_index(run, args, args[0].len);
}

static struct cel_value text_last_index_of_from(struct cel_run *run, const struct cel_value *args)
{
	size_t from;
	if (!offset_of(text(args[0]), args[2].as.integer, &from))
		return out_of_range(run, args[2].as.integer);
	return last_index(run, args, from);
}

static struct cel_value text_substring(struct cel_run *run, const struct cel_value *args)
{
	size_t from;
	if (!offset_of(text(args[0]), args[1].as.integer, &from))
		return out_of_range(run, args[1].as.integer);
	return cel_string(part_of(text(args[0]), from, args[0].len));
}

static struct cel_value text_substring_to(struct cel_run *run, const struct cel_value *args)
{
	size_t from, to;
	if (!offset_of(text(args[0]), args[1].as.integer, &from))
		return out_of_range(run, args[1].as.integer);
	if (!offset_of(text(args[0]), args[2].as.integer, &to) || to < from)
		return out_of_range(run, args[2].as.integer);
	return cel_string(part_of(text(args[0]), from, to));
}

/* Each byte through `map`; bytes of other code points have the high bit set and stay. */
static struct cel_value map_ascii(struct cel_run *run, struct cel_value s, char first, char last)
{
	struct cel_value result = s;
	char *bytes = run_bytes(run, s.len, &result);
	if (bytes == NULL)
		return result;
	for (uint32_t i = 0; i < s.len; i++) {
		char byte = s.as.bytes[i];
		bytes[i] = byte >= first && byte <= last ? (char)(byte ^ 0x20) : byte;
	}
	result.as.bytes = bytes;
	return result;
}

static struct cel_value text_lower(struct cel_run *run, const struct cel_value *args)
{
	return map_ascii(run, args[0], 'A', 'Z');
}

static struct cel_value text_upper(struct cel_run *run, const struct cel_value *args)
{
	return map_ascii(run, args[0], 'a', 'z');
}

static bool is_space(uint32_t code_point)
{
	return (code_point >= 0x09 && code_point <= 0x0d) || code_point == 0x20 || code_point == 0x85 ||
	       code_point == 0xa0 || code_point == 0x1680 || (code_point >= 0x2000 && code_point <= 0x200a) ||
	       code_point == 0x2028 || code_point == 0x2029 || code_point == 0x202f || code_point == 0x205f ||
	       code_point == 0x3000;
}

static struct cel_value text_trim(struct cel_run *run, const struct cel_value *args)
{
	(void)run;
	struct slice s = text(args[0]);
	while (s.len > 0 && is_space(utf8_first(s))) {
		size_t width = utf8_width(s.p[0]);
		s = (struct slice){s.p + width, s.len - width};
	}
	while (s.len > 0) {
		size_t at = s.len - 1;
		while (at > 0 && ((unsigned char)s.p[at] & 0xc0) == 0x80)
			at--;
		if (!is_space(utf8_first((struct slice){s.p + at, s.len - at})))
			break;
		s.len = at;
	}
	return cel_string(s);
}

static struct cel_value text_reverse(struct cel_run *run, const struct cel_value *args)
{
	struct cel_value result = args[0];
	char *bytes = run_bytes(run, args[0].len, &result);
	if (bytes == NULL)
		return result;
	struct slice s = text(args[0]);
	char *out = bytes + s.len;
	for (size_t at = 0; at < s.len;) {
		size_t width = utf8_width(s.p[at]);
		out -= width;
		memcpy(out, s.p + at, width);
		at += width;
	}
	result.as.bytes = bytes;
	return result;
}

/* Where the next piece ends: before the separator, or after one code point when that is empty. -1: at the end. */
static int64_t next_cut(struct slice s, struct slice separator, size_t from)
{
	if (separator.len != 0)
		return find_from(s, separator, from);
	if (from >= s.len)
		return -1;
	size_t next = from + utf8_width(s.p[from]);
	return next < s.len ? (int64_t)next : -1;
}

/* At most `limit` pieces, the last one with the rest; negative: all. */
static struct cel_value split(struct cel_run *run, struct slice s, struct slice separator, int64_t limit)
{
	if (limit == 0 || (separator.len == 0 && s.len == 0))
		return run_list(run, NULL, 0);
	size_t room = 1, from = 0, count = 0;
	for (int64_t at = 0; (at = next_cut(s, separator, (size_t)at)) >= 0; at += (int64_t)separator.len)
		room++;
	if (!run_spend(run, room) || room > CEL_MAX_WEIGHT)
		return run_exhausted(run);
	struct cel_value *items = arena_array(run->arena, room, sizeof *items);
	int64_t cut;
	while ((limit < 0 || (int64_t)count + 1 < limit) && (cut = next_cut(s, separator, from)) >= 0) {
		items[count++] = cel_string(part_of(s, from, (size_t)cut));
		from = (size_t)cut + separator.len;
	}
	items[count++] = cel_string(part_of(s, from, s.len));
	return run_list(run, items, count);
}

static struct cel_value text_split(struct cel_run *run, const struct cel_value *args)
{
	return split(run, text(args[0]), text(args[1]), -1);
}

static struct cel_value text_split_limit(struct cel_run *run, const struct cel_value *args)
{
	return split(run, text(args[0]), text(args[1]), args[2].as.integer);
}

static struct cel_value join(struct cel_run *run, const struct cel_list *list, struct slice separator)
{
	size_t len = 0;
	for (uint32_t i = 0; i < list->count; i++) {
		if (list->items[i].kind != CEL_STRING)
			return run_no_overload(run, SLICE("join"), &list->items[i], 1);
		len += list->items[i].len + (i != 0 ? separator.len : 0);
	}
	struct cel_value error;
	char *bytes = run_bytes(run, len, &error), *out = bytes;
	if (bytes == NULL)
		return error;
	for (uint32_t i = 0; i < list->count; i++) {
		if (i != 0 && separator.len != 0)
			out = mempcpy(out, separator.p, separator.len);
		if (list->items[i].len != 0)
			out = mempcpy(out, list->items[i].as.bytes, list->items[i].len);
	}
	return cel_string((struct slice){bytes, len});
}

static struct cel_value list_join(struct cel_run *run, const struct cel_value *args)
{
	return join(run, args[0].as.list, SLICE_NONE);
}

static struct cel_value list_join_with(struct cel_run *run, const struct cel_value *args)
{
	return join(run, args[0].as.list, text(args[1]));
}

/* Replacing is splitting and joining. */
static struct cel_value replace(struct cel_run *run, const struct cel_value *args, int64_t limit)
{
	if (limit == 0)
		return args[0];
	if (args[1].len == 0)
		return cel_fail(run, ERR_CEL_ARGUMENT, "there is nothing to replace: the searched text is empty");
	struct cel_value pieces = split(run, text(args[0]), text(args[1]), limit < 0 ? -1 : limit + (limit < INT64_MAX));
	return pieces.kind == CEL_ERROR ? pieces : join(run, pieces.as.list, text(args[2]));
}

static struct cel_value text_replace(struct cel_run *run, const struct cel_value *args)
{
	return replace(run, args, -1);
}

static struct cel_value text_replace_limit(struct cel_run *run, const struct cel_value *args)
{
	return replace(run, args, args[3].as.integer);
}

#define S &cel_type_string
#define INT &cel_type_int
#define BOOL &cel_type_bool
#define TEXTS &cel_type_strings
#define METHOD(text, gives, count, fn, ...)                                                                            \
	{.name = text, .is_method = true, .arity = count, .result = gives, .params = {__VA_ARGS__}, .call = fn}

static const struct cel_function strings[] = {
	METHOD("contains", BOOL, 2, text_contains, S, S),
	METHOD("startsWith", BOOL, 2, text_starts_with, S, S),
	METHOD("endsWith", BOOL, 2, text_ends_with, S, S),
	METHOD("matches", BOOL, 2, text_matches, S, S),
	{.name = "matches", .arity = 2, .result = BOOL, .params = {S, S}, .call = text_matches},
	METHOD("charAt", S, 2, text_char_at, S, INT),
	METHOD("indexOf", INT, 2, text_index_of, S, S),
	METHOD("indexOf", INT, 3, text_index_of_from, S, S, INT),
	METHOD("lastIndexOf", INT, 2, text_last_index_of, S, S),
	METHOD("lastIndexOf", INT, 3, text_last_index_of_from, S, S, INT),
	METHOD("substring", S, 2, text_substring, S, INT),
	METHOD("substring", S, 3, text_substring_to, S, INT, INT),
	METHOD("lowerAscii", S, 1, text_lower, S),
	METHOD("upperAscii", S, 1, text_upper, S),
	METHOD("trim", S, 1, text_trim, S),
	METHOD("reverse", S, 1, text_reverse, S),
	METHOD("split", TEXTS, 2, text_split, S, S),
	METHOD("split", TEXTS, 3, text_split_limit, S, S, INT),
	METHOD("join", S, 1, list_join, TEXTS),
	METHOD("join", S, 2, list_join_with, TEXTS, S),
	METHOD("replace", S, 3, text_replace, S, S, S),
	METHOD("replace", S, 4, text_replace_limit, S, S, S, INT),
	METHOD("format", S, 2, cel_format, S, &cel_type_list),
	{.name = "strings.quote", .arity = 1, .result = S, .params = {S}, .call = cel_quote},
};

struct function_table stdlib_strings(void)
{
	return (struct function_table){strings, sizeof strings / sizeof *strings};
}
