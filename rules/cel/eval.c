/* SPDX-License-Identifier: Apache-2.0
 *
 * The code nodes but for loops. Operands are evaluated left to right; the first error of a strict node is its result.
 */
#include "rules/cel/code.h"
#include "rules/text/regex.h"

enum { MAX_CALL_ARGS = 8 };

struct cel_value code_const(const struct code *code, struct cel_run *run)
{
	(void)run;
	return code->u.value;
}

struct cel_value code_fail(const struct code *code, struct cel_run *run)
{
	run->at = code->span;
	return cel_fail(run, code->index, "undeclared reference to `%.*s`", SLICE_ARG(code->u.name));
}

struct cel_value code_slot(const struct code *code, struct cel_run *run)
{
	return run->slots[code->index];
}

struct cel_value code_local(const struct code *code, struct cel_run *run)
{
	return run->locals[code->index];
}

/* ---- fields and keys */

static struct cel_value no_such_key(const struct code *code, struct cel_run *run, struct slice key)
{
	run->at = code->span;
	return cel_fail(run, ERR_CEL_NO_KEY, "no such key: `%.*s`", SLICE_ARG(key));
}

static struct cel_value no_fields(const struct code *code, struct cel_run *run, struct cel_value target)
{
	run->at = code->span;
	return cel_fail(run, ERR_CEL_NO_OVERLOAD, "`%s` has no field `%.*s`",
			cel_type_name(cel_type_of(target), run->arena), SLICE_ARG(code->u.name));
}

/* Out of line, so that the way that is always taken stays short. */
__attribute__((noinline, cold)) static struct cel_value not_the_object(const struct code *code, struct cel_run *run,
								       struct cel_value target,
								       const struct cel_field *field)
{
	if (target.kind == CEL_ERROR)
		return target;
	return no_such_key(code, run, slice_of(field->name));
}

struct cel_value code_field(const struct code *code, struct cel_run *run)
{
	struct cel_value target = code_run(code->a, run);
	if (target.kind == CEL_OBJECT && target.as.object->type == code->u.object)
		return code->u.object->get(target.as.object->self, code->index, run->arena);
	return not_the_object(code, run, target, &code->u.object->fields[code->index]);
}

/* The same for a field of a variable, which nearly all clauses of rules are. */
struct cel_value code_slot_field(const struct code *code, struct cel_run *run)
{
	struct cel_value target = run->slots[code->count];
	if (target.kind == CEL_OBJECT && target.as.object->type == code->u.object)
		return code->u.object->get(target.as.object->self, code->index, run->arena);
	return not_the_object(code, run, target, &code->u.object->fields[code->index]);
}

/* The same for a field that lies at a place of its own in what the variable points at, through parts or not. */
static inline struct cel_value slot_text(const struct code *code, struct cel_run *run)
{
	struct cel_value target = run->slots[code->count];
	if (target.kind != CEL_OBJECT || target.as.object->type != code->u.place.object)
		return not_the_object(code, run, target, &code->u.place.object->fields[code->u.place.field]);
	return cel_string(*(const struct slice *)((const char *)target.as.object->self + code->index));
}

static inline struct cel_value slot_int(const struct code *code, struct cel_run *run)
{
	struct cel_int_member member;
	struct cel_value target = run->slots[code->count];
	if (target.kind != CEL_OBJECT || target.as.object->type != code->u.place.object)
		return not_the_object(code, run, target, &code->u.place.object->fields[code->u.place.field]);
	memcpy(&member, (const char *)target.as.object->self + code->index, sizeof member);
	return cel_int(member.is_set ? member.value : 0);
}

struct cel_value code_slot_text(const struct code *code, struct cel_run *run)
{
	return slot_text(code, run);
}

struct cel_value code_slot_int(const struct code *code, struct cel_run *run)
{
	return slot_int(code, run);
}

/* The operand of a node that is mostly such a field: read without a call. */
static inline struct cel_value text_operand(const struct code *code, struct cel_run *run)
{
	return code->run == code_slot_text ? slot_text(code, run) : code_run(code, run);
}

static inline struct cel_value int_operand(const struct code *code, struct cel_run *run)
{
	return code->run == code_slot_int ? slot_int(code, run) : code_run(code, run);
}

struct cel_value code_has_field(const struct code *code, struct cel_run *run)
{
	struct cel_value target = code_run(code->a, run);
	if (target.kind == CEL_ERROR)
		return target;
	if (target.kind != CEL_OBJECT || target.as.object->type != code->u.object)
		return cel_bool(false);
	return cel_bool(code->u.object->has == NULL || code->u.object->has(target.as.object->self, code->index));
}

/* A declared object that is only known while evaluating: by name. */
static int field_named(const struct cel_object_type *type, struct slice name)
{
	for (size_t i = 0; i < type->field_count; i++)
		if (slice_is(name, type->fields[i].name))
			return (int)i;
	return -1;
}

struct cel_value code_select(const struct code *code, struct cel_run *run)
{
	struct cel_value target = code_run(code->a, run);
	if (target.kind == CEL_MAP) {
		const struct cel_value *value = cel_map_find_text(target.as.map, code->u.name);
		return value != NULL ? *value : no_such_key(code, run, code->u.name);
	}
	if (target.kind == CEL_OBJECT) {
		const struct cel_object *object = target.as.object;
		int field = field_named(object->type, code->u.name);
		return field < 0 ? no_such_key(code, run, code->u.name)
				 : object->type->get(object->self, (uint32_t)field, run->arena);
	}
	if (target.kind == CEL_OPTIONAL)
		return code_select_through(code, run, target);
	return target.kind == CEL_ERROR ? target : no_fields(code, run, target);
}

struct cel_value code_has_key(const struct code *code, struct cel_run *run)
{
	struct cel_value target = code_run(code->a, run);
	if (target.kind == CEL_MAP)
		return cel_bool(cel_map_find_text(target.as.map, code->u.name) != NULL);
	if (target.kind == CEL_OBJECT) {
		const struct cel_object *object = target.as.object;
		int field = field_named(object->type, code->u.name);
		if (field < 0)
			return no_such_key(code, run, code->u.name);
		return cel_bool(object->type->has == NULL || object->type->has(object->self, (uint32_t)field));
	}
	if (target.kind == CEL_OPTIONAL)
		return code_optional_has(code, run, target);
	return target.kind == CEL_ERROR ? target : no_fields(code, run, target);
}

/* ---- logic: false beats an error in &&, true in || */

struct cel_value code_as_bool(struct cel_run *run, struct cel_value value)
{
	if (value.kind == CEL_BOOL || value.kind == CEL_ERROR)
		return value;
	return run_no_overload(run, SLICE("&&"), &value, 1);
}

static struct cel_value logic(const struct code *code, struct cel_run *run, bool decisive)
{
	struct cel_value first_error = {.kind = CEL_NULL};
	for (uint32_t i = 0; i < code->count; i++) {
		struct cel_value value = code_run(code->args[i], run);
		if (value.kind == CEL_BOOL && value.as.boolean == decisive)
			return value;
		if (value.kind == CEL_BOOL)
			continue;
		if (first_error.kind == CEL_ERROR)
			continue;
		run->at = code->args[i]->span;
		first_error = code_as_bool(run, value);
	}
	return first_error.kind == CEL_ERROR ? first_error : cel_bool(!decisive);
}

struct cel_value code_and(const struct code *code, struct cel_run *run)
{
	return logic(code, run, false);
}

struct cel_value code_or(const struct code *code, struct cel_run *run)
{
	return logic(code, run, true);
}

struct cel_value code_not(const struct code *code, struct cel_run *run)
{
	struct cel_value value = code_run(code->a, run);
	if (value.kind == CEL_BOOL)
		return cel_bool(!value.as.boolean);
	run->at = code->span;
	return value.kind == CEL_ERROR ? value : run_no_overload(run, SLICE("!"), &value, 1);
}

struct cel_value code_choice(const struct code *code, struct cel_run *run)
{
	struct cel_value condition = code_run(code->a, run);
	if (condition.kind == CEL_BOOL)
		return code_run(condition.as.boolean ? code->b : code->c, run);
	run->at = code->a->span;
	return condition.kind == CEL_ERROR ? condition : run_no_overload(run, SLICE("?:"), &condition, 1);
}

/* ---- comparing */

/* Both operands of a strict binary node; the error to give, or a value of another kind when both are fine. */
static struct cel_value operands(const struct code *code, struct cel_run *run, struct cel_value ret_pair[2])
{
	ret_pair[0] = code_run(code->a, run);
	if (ret_pair[0].kind == CEL_ERROR)
		return ret_pair[0];
	ret_pair[1] = code_run(code->b, run);
	run->at = code->span;
	return ret_pair[1];
}

struct cel_value code_equal(const struct code *code, struct cel_run *run)
{
	struct cel_value pair[2], error = operands(code, run, pair);
	return error.kind == CEL_ERROR ? error : run_equal(run, pair[0], pair[1]);
}

struct cel_value code_not_equal(const struct code *code, struct cel_run *run)
{
	struct cel_value equal = code_equal(code, run);
	return equal.kind == CEL_ERROR ? equal : cel_bool(!equal.as.boolean);
}

static uint64_t word_at(const char *p)
{
	uint64_t word;
	memcpy(&word, p, sizeof word);
	return word;
}

/* slice_equal, but without a call for the short texts that rules compare: names of sources, countries, products. */
static bool is_same_text(struct cel_value value, struct slice text)
{
	if (value.len != text.len)
		return false;
	const char *a = value.as.bytes, *b = text.p;
	size_t len = text.len;
	if (len > 16)
		return memcmp(a, b, len) == 0;
	if (len >= 8)
		return word_at(a) == word_at(b) && word_at(a + len - 8) == word_at(b + len - 8);
	for (size_t i = 0; i < len; i++)
		if (a[i] != b[i])
			return false;
	return true;
}

struct cel_value code_equal_text(const struct code *code, struct cel_run *run)
{
	struct cel_value value = text_operand(code->a, run);
	if (value.kind == CEL_ERROR)
		return value;
	bool is_equal = value.kind == CEL_STRING && is_same_text(value, code->u.name);
	return cel_bool(is_equal != (bool)code->index);
}

static bool accepts(uint32_t mask, enum cel_order order)
{
	static const uint32_t bits[] = {COMPARE_LESS, COMPARE_SAME, COMPARE_MORE, 0};
	return (mask & bits[order + 1]) != 0;
}

static struct slice compare_name(uint32_t mask)
{
	bool has_less = mask & COMPARE_LESS, has_same = mask & COMPARE_SAME;
	return has_less ? (has_same ? SLICE("<=") : SLICE("<")) : has_same ? SLICE(">=") : SLICE(">");
}

struct cel_value code_compare(const struct code *code, struct cel_run *run)
{
	struct cel_value pair[2], error = operands(code, run, pair);
	if (error.kind == CEL_ERROR)
		return error;
	if (!cel_is_comparable(pair[0], pair[1]))
		return run_no_overload(run, compare_name(code->index), pair, 2);
	return cel_bool(accepts(code->index, cel_compare(pair[0], pair[1])));
}

struct cel_value code_compare_int(const struct code *code, struct cel_run *run)
{
	struct cel_value value = int_operand(code->a, run);
	if (value.kind != CEL_INT) {
		run->at = code->span;
		struct cel_value pair[2] = {value, code->u.value};
		return value.kind == CEL_ERROR ? value : run_no_overload(run, compare_name(code->index), pair, 2);
	}
	int64_t a = value.as.integer, b = code->u.value.as.integer;
	return cel_bool((code->index & (a < b ? COMPARE_LESS : a > b ? COMPARE_MORE : COMPARE_SAME)) != 0);
}

/* ---- membership */

static struct cel_value in_list(struct cel_run *run, struct cel_value item, const struct cel_list *list)
{
	if (!run_spend(run, 1 + list->count / 8))
		return run_exhausted(run);
	for (uint32_t i = 0; i < list->count; i++) {
		struct cel_value equal = run_equal(run, list->items[i], item);
		if (equal.kind == CEL_ERROR || equal.as.boolean)
			return equal;
	}
	return cel_bool(false);
}

struct cel_value code_in(const struct code *code, struct cel_run *run)
{
	struct cel_value pair[2], error = operands(code, run, pair);
	if (error.kind == CEL_ERROR)
		return error;
	if (pair[1].kind == CEL_LIST)
		return in_list(run, pair[0], pair[1].as.list);
	if (pair[1].kind == CEL_MAP)
		return cel_bool(cel_map_find(pair[1].as.map, pair[0]) != NULL);
	return run_no_overload(run, SLICE("in"), pair, 2);
}

struct cel_value code_in_texts(const struct code *code, struct cel_run *run)
{
	struct cel_value value = text_operand(code->a, run);
	if (value.kind != CEL_STRING)
		return value.kind == CEL_ERROR ? value : cel_bool(false);
	const struct cel_list *list = code->u.value.as.list;
	for (uint32_t i = 0; i < list->count; i++)
		if (is_same_text(value, cel_slice(list->items[i])))
			return cel_bool(true);
	return cel_bool(false);
}

struct cel_value code_in_set(const struct code *code, struct cel_run *run)
{
	struct cel_value value = code_run(code->a, run);
	return value.kind == CEL_ERROR ? value : cel_bool(cel_map_find(code->u.set, value) != NULL);
}

/* An index given as int, or as a uint or double of whole value; -1 when it is none. */
static int64_t list_index(struct cel_value index)
{
	if (index.kind == CEL_INT)
		return index.as.integer;
	if (index.kind == CEL_UINT && index.as.natural <= INT64_MAX)
		return (int64_t)index.as.natural;
	if (index.kind == CEL_DOUBLE && index.as.number >= 0 && index.as.number < 4294967296.0 &&
	    index.as.number == (double)(int64_t)index.as.number)
		return (int64_t)index.as.number;
	return -1;
}

static struct cel_value index_list(struct cel_run *run, const struct cel_list *list, struct cel_value index)
{
	int64_t at = list_index(index);
	if (at >= 0 && at < list->count)
		return list->items[at];
	if (index.kind == CEL_INT)
		return cel_fail(run, ERR_CEL_INDEX, "index %lld is outside a list of %u", (long long)index.as.integer,
				list->count);
	return cel_fail(run, ERR_CEL_INDEX, "the index is outside a list of %u", list->count);
}

static struct cel_value index_map(const struct code *code, struct cel_run *run, const struct cel_map *map,
				  struct cel_value key)
{
	const struct cel_value *value = cel_map_find(map, key);
	if (value != NULL)
		return *value;
	if (key.kind == CEL_STRING)
		return no_such_key(code, run, cel_slice(key));
	if (key.kind == CEL_INT)
		return cel_fail(run, ERR_CEL_NO_KEY, "no such key: %lld", (long long)key.as.integer);
	return cel_fail(run, ERR_CEL_NO_KEY, "no such key");
}

struct cel_value code_index(const struct code *code, struct cel_run *run)
{
	struct cel_value pair[2], error = operands(code, run, pair);
	if (error.kind == CEL_ERROR)
		return error;
	if (pair[0].kind == CEL_LIST)
		return index_list(run, pair[0].as.list, pair[1]);
	if (pair[0].kind == CEL_MAP)
		return index_map(code, run, pair[0].as.map, pair[1]);
	if (pair[0].kind == CEL_OPTIONAL)
		return code_index_through(code, run, pair);
	return run_no_overload(run, SLICE("[]"), pair, 2);
}

/* ---- calls */

/* Evaluates the arguments; the error to give, or CEL_NULL. */
static struct cel_value arguments(const struct code *code, struct cel_run *run, struct cel_value *ret_args)
{
	for (uint32_t i = 0; i < code->count; i++) {
		ret_args[i] = code_run(code->args[i], run);
		if (ret_args[i].kind == CEL_ERROR)
			return ret_args[i];
	}
	run->at = code->span;
	return cel_null();
}

/* Looked at even when the checker is sure: a field that gives another kind than declared must not be read as one. */
static bool accepts_args(const struct cel_function *function, const struct cel_value *args, uint32_t count)
{
	if (function->arity != count)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		enum cel_kind kind = function->params[i]->kind;
		if (kind != CEL_DYN && kind != CEL_PARAM && kind != args[i].kind)
			return false;
	}
	return true;
}

struct cel_value code_dispatch(const struct code *code, struct cel_run *run)
{
	struct cel_value args[MAX_CALL_ARGS], error = arguments(code, run, args);
	if (error.kind == CEL_ERROR)
		return error;
	const struct code_dispatch *dispatch = code->u.dispatch;
	for (uint32_t i = 0; i < dispatch->count; i++)
		if (accepts_args(dispatch->candidates[i], args, code->count))
			return dispatch->candidates[i]->call(run, args);
	return run_no_overload(run, dispatch->name, args, code->count);
}

struct cel_value code_matches(const struct code *code, struct cel_run *run)
{
	struct cel_value text = code_run(code->a, run);
	run->at = code->span;
	if (text.kind != CEL_STRING)
		return text.kind == CEL_ERROR ? text : run_no_overload(run, SLICE("matches"), &text, 1);
	if (!run_spend(run, 1 + text.len / 16))
		return run_exhausted(run);
	return cel_bool(regex_search(code->u.regex, cel_slice(text)));
}

struct cel_value code_search(const struct code *code, struct cel_run *run)
{
	static const char *const names[] = {"startsWith", "endsWith", "contains"};
	struct cel_value value = text_operand(code->a, run);
	run->at = code->span;
	if (value.kind != CEL_STRING)
		return value.kind == CEL_ERROR ? value : run_no_overload(run, slice_of(names[code->index]), &value, 1);
	struct slice part = code->u.name;
	if (value.len < part.len)
		return cel_bool(false);
	if (code->index == SEARCH_ANYWHERE) {
		if (!run_spend(run, value.len / 64))
			return run_exhausted(run);
		return cel_bool(part.len == 0 || memmem(value.as.bytes, value.len, part.p, part.len) != NULL);
	}
	value.as.bytes += code->index == SEARCH_END ? value.len - part.len : 0;
	value.len = (uint32_t)part.len;
	return cel_bool(is_same_text(value, part));
}

struct cel_value code_time_part(const struct code *code, struct cel_run *run)
{
	struct cel_value at = code_run(code->a, run);
	if (at.kind == CEL_TIMESTAMP)
		return cel_int(time_part_value((enum time_part)code->index, at, time_zone_offset(code->u.zone, at)));
	run->at = code->span;
	return at.kind == CEL_ERROR ? at : run_no_overload(run, SLICE("getHours"), &at, 1);
}

/* ---- literals */

static bool is_left_out(const struct code *code, uint32_t arg, struct cel_value *value)
{
	if (code->u.is_optional == NULL || !code->u.is_optional[arg] || value->kind != CEL_OPTIONAL)
		return false;
	if (value->as.inner == NULL)
		return true;
	*value = *value->as.inner;
	return false;
}

struct cel_value code_list(const struct code *code, struct cel_run *run)
{
	struct cel_value *items = arena_array(run->arena, code->count, sizeof *items);
	uint32_t count = 0;
	for (uint32_t i = 0; i < code->count; i++) {
		struct cel_value item = code_run(code->args[i], run);
		if (item.kind == CEL_ERROR)
			return item;
		if (!is_left_out(code, i, &item))
			items[count++] = item;
	}
	run->at = code->span;
	return run_list(run, items, count);
}

struct cel_value code_map(const struct code *code, struct cel_run *run)
{
	struct cel_entry *entries = arena_array(run->arena, code->count / 2, sizeof *entries);
	uint32_t count = 0;
	for (uint32_t i = 0; i < code->count; i += 2) {
		struct cel_value key = code_run(code->args[i], run);
		if (key.kind == CEL_ERROR)
			return key;
		struct cel_value value = code_run(code->args[i + 1], run);
		if (value.kind == CEL_ERROR)
			return value;
		if (!is_left_out(code, i, &value))
			entries[count++] = (struct cel_entry){key, value};
	}
	run->at = code->span;
	return run_map(run, entries, count);
}

struct cel_value code_bind(const struct code *code, struct cel_run *run)
{
	/* an error is bound like a value, so that a use that absorbs it can */
	run->locals[code->index] = code_run(code->a, run);
	return code_run(code->b, run);
}
