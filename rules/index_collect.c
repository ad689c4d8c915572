/* SPDX-License-Identifier: Apache-2.0
 *
 * Clauses into drafts of dimensions.
 *
 * A rule has one test per dimension. A second clause about the same field narrows it when both are single intervals
 * (score >= 40 && score < 60), and is otherwise left to evaluation: to know too little makes candidates, never misses.
 */
#include "rules/base/arena.h"
#include "rules/base/mem.h"
#include "rules/index_draft.h"

/* ---- constants as intervals */

/* Ints up to here are doubles without loss. */
static const int64_t EXACT_MAX = (int64_t)1 << 53;

static bool read_number(enum cel_kind kind, struct cel_value constant, int64_t *ret)
{
	if (kind == CEL_BOOL && constant.kind == CEL_BOOL)
		*ret = constant.as.boolean;
	else if (kind == CEL_INT && constant.kind == CEL_INT)
		*ret = constant.as.integer;
	else if (kind == CEL_DOUBLE && constant.kind == CEL_DOUBLE && constant.as.number == constant.as.number)
		*ret = index_real(constant.as.number);
	else if (kind == CEL_DOUBLE && constant.kind == CEL_INT && constant.as.integer >= -EXACT_MAX &&
		 constant.as.integer <= EXACT_MAX)
		*ret = index_real((double)constant.as.integer);
	else
		return false;
	return true;
}

/* What a test says yes to; from > to: nothing. */
static struct index_interval interval_of(enum cel_test test, int64_t number)
{
	static const struct index_interval none = {1, 0};
	switch (test) {
	case CEL_TEST_LT:
		return number == INT64_MIN ? none : (struct index_interval){INT64_MIN, number - 1};
	case CEL_TEST_LE:
		return (struct index_interval){INT64_MIN, number};
	case CEL_TEST_GT:
		return number == INT64_MAX ? none : (struct index_interval){number + 1, INT64_MAX};
	case CEL_TEST_GE:
		return (struct index_interval){number, INT64_MAX};
	default:
		return (struct index_interval){number, number};
	}
}

/* ---- what a clause is to the index */

static bool are_texts(const struct cel_conjunct *clause)
{
	for (uint32_t i = 0; i < clause->constant_count; i++)
		if (clause->constants[i].kind != CEL_STRING)
			return false;
	return true;
}

static bool are_numbers(const struct cel_conjunct *clause, enum cel_kind kind)
{
	int64_t number;
	for (uint32_t i = 0; i < clause->constant_count; i++)
		if (!read_number(kind, clause->constants[i], &number))
			return false;
	return true;
}

/* The kind of value that is asked for. A value that may be of any kind is asked for one of the constant's. */
static enum cel_kind value_kind(const struct cel_conjunct *clause)
{
	if (clause->type->kind != CEL_DYN || clause->constant_count == 0)
		return clause->type->kind;
	return clause->constants[0].kind;
}

static bool classify_text(const struct cel_conjunct *clause, enum dimension_kind *ret_kind)
{
	switch (clause->test) {
	case CEL_TEST_EQ:
	case CEL_TEST_IN:
		*ret_kind = DIMENSION_TEXT;
		return true;
	case CEL_TEST_NE:
		*ret_kind = DIMENSION_NOT_TEXT;
		return true;
	case CEL_TEST_PREFIX:
	case CEL_TEST_SUFFIX:
		*ret_kind = clause->test == CEL_TEST_PREFIX ? DIMENSION_PREFIX : DIMENSION_SUFFIX;
		return clause->constants[0].len <= INDEX_AFFIX_BYTES_MAX;
	default:
		return false;
	}
}

/* false: evaluation has to tell. */
static bool classify(const struct cel_conjunct *clause, enum dimension_kind *ret_kind)
{
	if (clause->test == CEL_TEST_OTHER || clause->test == CEL_TEST_NOT_IN || clause->test == CEL_TEST_NOT_HAS)
		return false;
	if (clause->test == CEL_TEST_HAS) {
		*ret_kind = DIMENSION_HAS;
		return clause->path_count != 0;
	}
	*ret_kind = DIMENSION_NUMBER;
	switch (value_kind(clause)) {
	case CEL_STRING:
		return are_texts(clause) && classify_text(clause, ret_kind);
	case CEL_BOOL:
	case CEL_INT:
	case CEL_DOUBLE:
		return are_numbers(clause, value_kind(clause));
	default:
		return false;
	}
}

/* The parts on the way must be one object with the variable. */
static struct cel_member find_direct(const struct index_path *path)
{
	static const struct cel_member none = {CEL_BY_CALL, 0};
	struct cel_member member = none;
	for (uint32_t i = 0; i < path->count; i++) {
		const struct index_step *step = &path->steps[i];
		if (step->object->members == NULL || (i != 0 && member.layout != CEL_PART_AT))
			return none;
		member = step->object->members[step->field];
	}
	return member.layout == CEL_TEXT_AT || member.layout == CEL_INT_AT ? member : none;
}

/* false: the declared types do not lead there. */
static bool read_path(const struct index_builder *builder, const struct cel_conjunct *clause, struct slice key,
		      struct index_path *path)
{
	*path = (struct index_path){.slot = clause->slot, .count = clause->path_count, .key = key};
	if (clause->slot >= builder->env->variable_count)
		return false;
	const struct cel_type *type = builder->env->variables[clause->slot].type;
	for (uint32_t i = 0; i < clause->path_count; i++) {
		if (type->kind != CEL_OBJECT || clause->path[i] >= type->object->field_count)
			return false;
		path->steps[i] = (struct index_step){type->object, clause->path[i]};
		type = type->object->fields[clause->path[i]].type;
	}
	path->direct = find_direct(path);
	return true;
}

/* ---- drafts */

static bool is_same_path(const struct index_path *a, const struct index_path *b)
{
	if (a->slot != b->slot || a->count != b->count || !slice_equal(a->key, b->key))
		return false;
	for (uint32_t i = 0; i < a->count; i++)
		if (a->steps[i].object != b->steps[i].object || a->steps[i].field != b->steps[i].field)
			return false;
	return true;
}

static struct index_draft *find_draft(struct index_builder *builder, const struct dimension *form)
{
	for (size_t i = 0; i < builder->draft_count; i++) {
		const struct dimension *other = &builder->drafts[i].form;
		if (other->kind == form->kind && other->value_kind == form->value_kind &&
		    is_same_path(&other->path, &form->path))
			return &builder->drafts[i];
	}
	return NULL;
}

static struct index_draft *draft_of(struct index_builder *builder, enum dimension_kind kind,
				    const struct cel_conjunct *clause, struct slice key)
{
	struct dimension form = {.kind = kind, .value_kind = value_kind(clause)};
	if (!read_path(builder, clause, key, &form.path))
		return NULL;
	struct index_draft *known = find_draft(builder, &form);
	if (known != NULL)
		return known;
	if (builder->draft_count == INDEX_DRAFTS_MAX)
		return NULL;
	struct index_draft *draft = &builder->drafts[builder->draft_count++];
	*draft = (struct index_draft){.form = form, .last_rule = SIZE_MAX};
	draft->tested = xcalloc(builder->rows.width, INDEX_BLOCK_WORDS * sizeof *draft->tested);
	draft->watched = xcalloc(builder->rows.width, INDEX_BLOCK_WORDS * sizeof *draft->watched);
	return draft;
}

static struct index_test *add_test(struct index_draft *draft, size_t rule)
{
	if (draft->count == draft->capacity) {
		draft->capacity = draft->capacity * 2 + 64;
		draft->tests = xreallocarray(draft->tests, draft->capacity, sizeof *draft->tests);
	}
	struct index_test *test = &draft->tests[draft->count++];
	*test = (struct index_test){.rule = (uint32_t)rule, .next = UINT32_MAX};
	draft->last_count++;
	return test;
}

static struct slice backwards(struct slice text, struct arena *arena)
{
	char *copy = arena_raw(arena, text.len);
	for (size_t i = 0; i < text.len; i++)
		copy[i] = text.p[text.len - 1 - i];
	return (struct slice){copy, text.len};
}

static void add_texts(struct index_builder *builder, struct index_draft *draft, size_t rule,
		      const struct cel_conjunct *clause)
{
	for (uint32_t i = 0; i < clause->constant_count; i++) {
		struct slice text = cel_slice(clause->constants[i]);
		bool is_suffix = draft->form.kind == DIMENSION_SUFFIX;
		add_test(draft, rule)->u.text = is_suffix ? backwards(text, builder->arena) : text;
	}
}

static void add_interval(struct index_draft *draft, size_t rule, struct index_interval interval)
{
	if (interval.from <= interval.to)
		add_test(draft, rule)->u.interval = interval;
}

static void add_numbers(struct index_draft *draft, size_t rule, const struct cel_conjunct *clause)
{
	int64_t number = clause->test != CEL_TEST_FALSE; /* of tests without a constant */
	if (clause->constant_count == 0 && clause->test != CEL_TEST_IN)
		add_interval(draft, rule, interval_of(CEL_TEST_EQ, number));
	for (uint32_t i = 0; i < clause->constant_count; i++) {
		read_number(draft->form.value_kind, clause->constants[i], &number);
		if (clause->test == CEL_TEST_NE) {
			add_interval(draft, rule, interval_of(CEL_TEST_LT, number));
			add_interval(draft, rule, interval_of(CEL_TEST_GT, number));
		} else {
			add_interval(draft, rule, interval_of(clause->test, number));
		}
	}
}

/* Two intervals of one rule become what they have in common. */
static void narrow(struct index_draft *draft, const struct cel_conjunct *clause)
{
	int64_t number = 0;
	if (clause->constant_count != 1 || clause->test == CEL_TEST_NE || draft->last_count != 1)
		return;
	read_number(draft->form.value_kind, clause->constants[0], &number);
	struct index_interval *known = &draft->tests[draft->count - 1].u.interval,
			      more = interval_of(clause->test, number);
	if (more.from > known->from)
		known->from = more.from;
	if (more.to < known->to)
		known->to = more.to;
	if (known->from > known->to) {
		draft->count--;
		draft->last_count = 0;
	}
}

static void add_clause(struct index_builder *builder, size_t rule, const struct cel_conjunct *clause, struct slice key)
{
	enum dimension_kind kind;
	struct index_draft *draft = classify(clause, &kind) ? draft_of(builder, kind, clause, key) : NULL;
	if (draft == NULL || builder->test_count + clause->constant_count > INDEX_TESTS_MAX)
		return;
	bool has_one = draft->last_rule == rule, is_number = kind == DIMENSION_NUMBER || kind == DIMENSION_HAS;
	if (has_one && is_number)
		narrow(draft, clause);
	if (has_one && kind != DIMENSION_NOT_TEXT)
		return;
	if (!has_one) {
		draft->last_rule = rule;
		draft->last_count = 0;
		draft->tested_count++;
		draft->tested[rule / 64] |= (uint64_t)1 << rule % 64;
	}
	builder->test_count += clause->constant_count;
	if (is_number)
		add_numbers(draft, rule, clause);
	else
		add_texts(builder, draft, rule, clause);
}

void index_collect(struct index_builder *builder, const struct cel_program *const *programs)
{
	for (size_t rule = 0; rule < builder->rule_count; rule++) {
		size_t count = 0;
		const struct cel_conjunct *clauses =
			programs[rule] ? cel_program_conjuncts(programs[rule], &count) : NULL;
		for (size_t i = 0; i < count; i++) {
			const struct cel_keyed *keyed = clauses[i].keyed;
			add_clause(builder, rule, keyed ? &keyed->form : &clauses[i], keyed ? keyed->key : SLICE_NONE);
		}
	}
}
