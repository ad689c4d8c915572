/* SPDX-License-Identifier: Apache-2.0
 *
 * Methods of strings: the core ones and the "strings" extension. Positions count code points.
 */
#include "rules/cel/run.h"
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

#define S &cel_type_string
#define METHOD(text, gives, count, fn, ...)                                                                            \
	{.name = text, .is_method = true, .arity = count, .result = gives, .params = {__VA_ARGS__}, .call = fn}

static const struct cel_function strings[] = {
	METHOD("contains", &cel_type_bool, 2, text_contains, S, S),
	METHOD("startsWith", &cel_type_bool, 2, text_starts_with, S, S),
	METHOD("endsWith", &cel_type_bool, 2, text_ends_with, S, S),
	METHOD("matches", &cel_type_bool, 2, text_matches, S, S),
	{.name = "matches", .arity = 2, .result = &cel_type_bool, .params = {S, S}, .call = text_matches},
};

struct function_table stdlib_strings(void)
{
	return (struct function_table){strings, sizeof strings / sizeof *strings};
}
