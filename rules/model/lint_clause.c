/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/model/lint_clause.h"

#include "rules/base/arena.h"
#include "rules/cel/value.h"

/* What one clause says of one value. HAS of a zero is not known: a number 0 may have been given. */
enum truth { IS_FALSE, IS_TRUE, IS_OPEN };

static enum truth truth_of(bool holds)
{
	return holds ? IS_TRUE : IS_FALSE;
}

static enum truth opposite_of(enum truth truth)
{
	return truth == IS_OPEN ? IS_OPEN : truth_of(truth == IS_FALSE);
}

static bool is_same(struct cel_value a, struct cel_value b)
{
	return cel_compare(a, b) == CEL_SAME;
}

static enum truth is_listed(const struct cel_conjunct *form, struct cel_value value)
{
	for (uint32_t i = 0; i < form->constant_count; i++)
		if (is_same(form->constants[i], value))
			return IS_TRUE;
	return IS_FALSE;
}

static enum truth has_affix(const struct cel_conjunct *form, struct cel_value value)
{
	struct slice text = cel_slice(value), affix = cel_slice(form->constants[0]);
	if (value.kind != CEL_STRING)
		return IS_OPEN;
	if (form->test == CEL_TEST_SUFFIX && text.len > affix.len)
		text = (struct slice){text.p + text.len - affix.len, affix.len};
	return truth_of(slice_has_prefix(text, affix));
}

static enum truth is_present(struct cel_value value)
{
	switch (value.kind) {
	case CEL_STRING:
		return truth_of(value.len != 0);
	case CEL_INT:
		return value.as.integer != 0 ? IS_TRUE : IS_OPEN;
	case CEL_DOUBLE:
		return value.as.number != 0 ? IS_TRUE : IS_OPEN;
	default:
		return IS_OPEN;
	}
}

static enum truth is_ordered(const struct cel_conjunct *form, struct cel_value value)
{
	enum cel_order order = cel_compare(value, form->constants[0]);
	if (order == CEL_UNORDERED)
		return IS_OPEN;
	switch (form->test) {
	case CEL_TEST_LT:
		return truth_of(order == CEL_LESS);
	case CEL_TEST_LE:
		return truth_of(order != CEL_MORE);
	case CEL_TEST_GT:
		return truth_of(order == CEL_MORE);
	default:
		return truth_of(order != CEL_LESS);
	}
}

static enum truth clause_says(const struct cel_conjunct *form, struct cel_value value)
{
	switch (form->test) {
	case CEL_TEST_OTHER:
		return IS_OPEN;
	case CEL_TEST_EQ:
	case CEL_TEST_IN:
		return is_listed(form, value);
	case CEL_TEST_NE:
	case CEL_TEST_NOT_IN:
		return truth_of(is_listed(form, value) == IS_FALSE);
	case CEL_TEST_LT:
	case CEL_TEST_LE:
	case CEL_TEST_GT:
	case CEL_TEST_GE:
		return is_ordered(form, value);
	case CEL_TEST_PREFIX:
	case CEL_TEST_SUFFIX:
		return has_affix(form, value);
	case CEL_TEST_HAS:
		return is_present(value);
	case CEL_TEST_NOT_HAS:
		return opposite_of(is_present(value));
	case CEL_TEST_TRUE:
		return truth_of(cel_is_true(value));
	case CEL_TEST_FALSE:
		return truth_of(!cel_is_true(value));
	}
	return IS_OPEN;
}

/* ---- closing a group */

/* NaN is among the values of a double, but equals nothing and makes every comparison false. */
bool lint_is_simple(const struct cel_conjunct *form)
{
	switch (form->type->kind) {
	case CEL_BOOL:
	case CEL_INT:
	case CEL_UINT:
	case CEL_DOUBLE:
	case CEL_STRING:
	case CEL_TIMESTAMP:
	case CEL_DURATION:
		return true;
	default:
		return false;
	}
}

static bool may_be(const struct lint_group *group, struct cel_value value)
{
	for (size_t i = 0; i < group->clause_count; i++)
		if (clause_says(group->clauses[i]->form, value) == IS_FALSE)
			return false;
	return true;
}

static void keep_possible(struct lint_group *group, const struct cel_value *values, size_t count, struct arena *arena)
{
	if (count > LINT_VALUES_MAX)
		return;
	struct cel_value *kept = arena_array(arena, count, sizeof *kept);
	group->is_finite = true;
	group->values = kept;
	for (size_t i = 0; i < count; i++)
		if (may_be(group, values[i]))
			kept[group->value_count++] = values[i];
}

static void take_vocabulary(struct lint_group *group, struct arena *arena)
{
	const struct cel_vocabulary *vocabulary = group->vocabulary;
	struct cel_value *all = arena_array(arena, vocabulary->count + 1, sizeof *all);
	size_t count = 0;
	for (size_t i = 0; i < vocabulary->count; i++)
		all[count++] = cel_string(vocabulary->values[i]);
	if (vocabulary->can_be_absent)
		all[count++] = cel_string(SLICE(""));
	keep_possible(group, all, count, arena);
}

/* What is absent reads as zero. */
static void take_absence(struct lint_group *group, struct arena *arena)
{
	const struct cel_value zero = cel_zero(group->clauses[0]->form->type);
	keep_possible(group, &zero, 1, arena);
}

static void take_booleans(struct lint_group *group, struct arena *arena)
{
	const struct cel_value both[] = {cel_bool(false), cel_bool(true)};
	keep_possible(group, both, 2, arena);
}

static bool has_test(const struct lint_group *group, enum cel_test test)
{
	for (size_t i = 0; i < group->clause_count; i++)
		if (group->clauses[i]->form->test == test)
			return true;
	return false;
}

static bool is_low(const struct cel_conjunct *form)
{
	return form->test == CEL_TEST_GT || form->test == CEL_TEST_GE;
}

static bool is_high(const struct cel_conjunct *form)
{
	return form->test == CEL_TEST_LT || form->test == CEL_TEST_LE;
}

/* Is bound `a` at least as strict as `b`? Both low or both high. */
static bool is_as_strict(const struct cel_conjunct *a, const struct cel_conjunct *b)
{
	enum cel_order order = cel_compare(a->constants[0], b->constants[0]);
	bool a_is_open = a->test == CEL_TEST_GT || a->test == CEL_TEST_LT;
	bool b_is_open = b->test == CEL_TEST_GT || b->test == CEL_TEST_LT;
	if (order == CEL_SAME)
		return a_is_open || !b_is_open;
	return order == (is_low(a) ? CEL_MORE : CEL_LESS);
}

static void take_bound(const struct cel_conjunct **bound, const struct cel_conjunct *form)
{
	if (*bound == NULL || is_as_strict(form, *bound))
		*bound = form;
}

void lint_group_close(struct lint_group *group, struct arena *arena)
{
	const struct cel_conjunct *list = NULL;
	if (group->clause_count == 0 || !lint_is_simple(group->clauses[0]->form))
		return;
	for (size_t i = 0; i < group->clause_count; i++) {
		const struct cel_conjunct *form = group->clauses[i]->form;
		bool is_list = form->test == CEL_TEST_EQ || form->test == CEL_TEST_IN;
		if (is_list && (list == NULL || form->constant_count < list->constant_count))
			list = form;
		if (is_low(form))
			take_bound(&group->low, form);
		if (is_high(form))
			take_bound(&group->high, form);
	}
	if (has_test(group, CEL_TEST_NOT_HAS))
		take_absence(group, arena);
	else if (group->vocabulary != NULL && group->vocabulary->count < LINT_VALUES_MAX)
		take_vocabulary(group, arena);
	else if (group->clauses[0]->form->type->kind == CEL_BOOL)
		take_booleans(group, arena);
	else if (list != NULL)
		keep_possible(group, list->constants, list->constant_count, arena);
}

/* ---- empty? */

static bool bounds_cross(const struct lint_group *group)
{
	if (group->low == NULL || group->high == NULL)
		return false;
	struct cel_value low = group->low->constants[0], high = group->high->constants[0];
	enum cel_order order = cel_compare(low, high);
	bool is_open = group->low->test == CEL_TEST_GT || group->high->test == CEL_TEST_LT;
	if (order == CEL_MORE || (order == CEL_SAME && is_open))
		return true;
	bool both_open = group->low->test == CEL_TEST_GT && group->high->test == CEL_TEST_LT;
	return both_open && group->low->type->kind == CEL_INT && low.kind == CEL_INT && high.kind == CEL_INT &&
	       low.as.integer != INT64_MAX && low.as.integer + 1 == high.as.integer;
}

/* Two beginnings, or two endings, of which neither continues the other. */
static bool affixes_differ(const struct cel_conjunct *a, const struct cel_conjunct *b)
{
	if (a->test != b->test || (a->test != CEL_TEST_PREFIX && a->test != CEL_TEST_SUFFIX))
		return false;
	bool a_is_longer = a->constants[0].len >= b->constants[0].len;
	return has_affix(a_is_longer ? b : a, (a_is_longer ? a : b)->constants[0]) == IS_FALSE;
}

bool lint_group_is_empty(const struct lint_group *group)
{
	if (has_test(group, CEL_TEST_HAS) && has_test(group, CEL_TEST_NOT_HAS))
		return true;
	if (group->is_finite)
		return group->value_count == 0;
	if (bounds_cross(group))
		return true;
	for (size_t i = 0; i < group->clause_count; i++)
		for (size_t k = 0; k < i; k++)
			if (affixes_differ(group->clauses[i]->form, group->clauses[k]->form))
				return true;
	return false;
}

/* ---- implies? */

static bool all_values_hold(const struct lint_group *group, const struct cel_conjunct *form)
{
	for (size_t i = 0; i < group->value_count; i++)
		if (clause_says(form, group->values[i]) != IS_TRUE)
			return false;
	return true;
}

/* Does what the group says keep the field away from `value`? */
static bool excludes(const struct lint_group *group, struct cel_value value)
{
	for (size_t i = 0; i < group->clause_count; i++)
		if (clause_says(group->clauses[i]->form, value) == IS_FALSE)
			return true;
	return false;
}

static bool excludes_all(const struct lint_group *group, const struct cel_conjunct *list)
{
	for (uint32_t i = 0; i < list->constant_count; i++)
		if (!excludes(group, list->constants[i]))
			return false;
	return true;
}

static bool has_longer_affix(const struct lint_group *group, const struct cel_conjunct *form)
{
	for (size_t i = 0; i < group->clause_count; i++) {
		const struct cel_conjunct *own = group->clauses[i]->form;
		if (own->test == form->test && has_affix(form, own->constants[0]) == IS_TRUE)
			return true;
	}
	return false;
}

bool lint_group_implies(const struct lint_group *group, const struct cel_conjunct *form)
{
	bool is_has = form->test == CEL_TEST_HAS || form->test == CEL_TEST_NOT_HAS;
	if (is_has && has_test(group, form->test))
		return true;
	if (group->is_finite)
		return all_values_hold(group, form);
	switch (form->test) {
	case CEL_TEST_NE:
	case CEL_TEST_NOT_IN:
		return lint_is_simple(form) && excludes_all(group, form);
	case CEL_TEST_GT:
	case CEL_TEST_GE:
		return group->low != NULL && is_as_strict(group->low, form);
	case CEL_TEST_LT:
	case CEL_TEST_LE:
		return group->high != NULL && is_as_strict(group->high, form);
	case CEL_TEST_PREFIX:
	case CEL_TEST_SUFFIX:
		return has_longer_affix(group, form);
	case CEL_TEST_HAS:
		return excludes(group, cel_zero(form->type)); /* what is absent reads as zero */
	case CEL_TEST_NOT_HAS:
	case CEL_TEST_OTHER:
	case CEL_TEST_EQ:
	case CEL_TEST_IN:
	case CEL_TEST_TRUE:
	case CEL_TEST_FALSE:
		break;
	}
	return false;
}

bool lint_always_holds(const struct cel_conjunct *form, const struct cel_vocabulary *vocabulary)
{
	if (vocabulary == NULL || (vocabulary->can_be_absent && clause_says(form, cel_string(SLICE(""))) != IS_TRUE))
		return false;
	for (size_t i = 0; i < vocabulary->count; i++)
		if (clause_says(form, cel_string(vocabulary->values[i])) != IS_TRUE)
			return false;
	return vocabulary->count != 0;
}

/* ---- text */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_wordy(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

/* A backslash, a triple quote or a comment: rare, and then only byte for byte. */
static bool is_plain(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		bool is_comment = text.p[i] == '/' && i + 1 < text.len && text.p[i + 1] == '/';
		bool is_triple = (text.p[i] == '"' || text.p[i] == '\'') && i + 2 < text.len && text.p[i + 1] == text.p[i] &&
		                 text.p[i + 2] == text.p[i];
		if (text.p[i] == '\\' || is_comment || is_triple)
			return false;
	}
	return true;
}

struct slice lint_even_text(struct slice text, struct arena *arena)
{
	if (!is_plain(text))
		return text;
	char *even = arena_alloc(arena, text.len + 1), quote = '\0';
	size_t len = 0;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.p[i];
		if (quote != '\0' || !is_blank(c)) {
			even[len++] = c;
			if (quote != '\0' ? c == quote : c == '"' || c == '\'')
				quote = quote != '\0' ? '\0' : c;
			continue;
		}
		while (i + 1 < text.len && is_blank(text.p[i + 1]))
			i++;
		bool parts_words = len > 0 && is_wordy(even[len - 1]) && i + 1 < text.len && is_wordy(text.p[i + 1]);
		if (parts_words)
			even[len++] = ' ';
	}
	return (struct slice){even, len};
}
