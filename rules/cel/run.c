/* SPDX-License-Identifier: Apache-2.0
 *
 * What one evaluation may use up, and the errors it gives.
 */
#include "rules/cel/run.h"

#include <stdarg.h>
#include <stdio.h>

enum { ERROR_BYTES = 240, BYTES_PER_STEP = 32 };

struct arena *cel_run_arena(struct cel_run *run)
{
	return run->arena;
}

struct cel_value cel_fail(struct cel_run *run, enum err_code code, const char *format, ...)
{
	char text[ERROR_BYTES];
	va_list args;
	va_start(args, format);
	int len = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	size_t kept = len < 0 ? 0 : (size_t)len < sizeof text ? (size_t)len : sizeof text - 1;
	for (size_t i = 0; i < kept; i++)
		if ((unsigned char)text[i] < 0x20)
			text[i] = ' ';
	struct cel_error *error = arena_alloc(run->arena, sizeof *error);
	*error = (struct cel_error){code, run->at.offset, run->at.length, arena_memdupz(run->arena, text, kept)};
	return (struct cel_value){.kind = CEL_ERROR, .as.error = error};
}

struct cel_value run_exhausted(struct cel_run *run)
{
	run->is_exhausted = true;
	return cel_fail(run, ERR_CEL_STEPS, "the evaluation takes too many steps");
}

bool run_spend(struct cel_run *run, uint64_t steps)
{
	if (run->steps_left < steps) {
		run->steps_left = 0;
		run->is_exhausted = true;
		return false;
	}
	run->steps_left -= steps;
	return true;
}

char *run_bytes(struct cel_run *run, size_t size, struct cel_value *ret_error)
{
	if (size > CEL_MAX_VALUE_BYTES) {
		*ret_error = cel_fail(run, ERR_CEL_TOO_LARGE, "the result would have %zu bytes, more than %d", size,
				      CEL_MAX_VALUE_BYTES);
		return NULL;
	}
	if (!run_spend(run, 1 + size / BYTES_PER_STEP)) {
		*ret_error = run_exhausted(run);
		return NULL;
	}
	return arena_alloc(run->arena, size);
}

static struct cel_value too_heavy(struct cel_run *run)
{
	return cel_fail(run, ERR_CEL_TOO_LARGE, "the result would hold more than %d values", CEL_MAX_WEIGHT);
}

struct cel_value run_list(struct cel_run *run, const struct cel_value *items, size_t count)
{
	if (!run_spend(run, 1 + count))
		return run_exhausted(run);
	struct cel_value list = cel_list_of(run->arena, items, count);
	return list.as.list->weight > CEL_MAX_WEIGHT ? too_heavy(run) : list;
}

struct cel_value run_map(struct cel_run *run, const struct cel_entry *entries, size_t count)
{
	if (!run_spend(run, 1 + count))
		return run_exhausted(run);
	const struct cel_map *map = cel_map_of(run->arena, entries, count);
	if (map == NULL)
		return cel_fail(run, ERR_CEL_KEY, "a key is there twice, or is no bool, int, uint or string");
	return map->weight > CEL_MAX_WEIGHT ? too_heavy(run) : cel_map(map);
}

struct cel_value run_some(struct cel_run *run, struct cel_value value)
{
	struct cel_value *inner = arena_alloc(run->arena, sizeof *inner);
	*inner = value;
	return (struct cel_value){.kind = CEL_OPTIONAL, .as.inner = inner};
}

struct cel_value run_equal(struct cel_run *run, struct cel_value a, struct cel_value b)
{
	uint32_t weight = cel_weight(a);
	if (weight > 1 && !run_spend(run, weight))
		return run_exhausted(run);
	return cel_bool(cel_equal(a, b, run->arena));
}

struct cel_value run_no_overload(struct cel_run *run, struct slice what, const struct cel_value *args, size_t count)
{
	char list[120] = "";
	size_t len = 0;
	for (size_t i = 0; i < count && len < sizeof list; i++) {
		int put = snprintf(list + len, sizeof list - len, "%s`%s`", i == 0 ? "" : i + 1 == count ? " and " : ", ",
				   cel_type_name(cel_type_of(args[i]), run->arena));
		len += put > 0 ? (size_t)put : 0;
	}
	return cel_fail(run, ERR_CEL_NO_OVERLOAD, "no such overload: `%.*s` for %s", SLICE_ARG(what), list);
}
