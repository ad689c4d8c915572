/* SPDX-License-Identifier: Apache-2.0
 *
 * Making an index: the clauses are sorted into drafts of dimensions, and each draft becomes its table and rows.
 *
 * A rule has one test per dimension. A second clause about the same field narrows it when both are single intervals
 * (score >= 40 && score < 60), and is otherwise left to evaluation: to know too little makes candidates, never misses.
 */
#include <stdlib.h>

#include "rules/base/arena.h"
#include "rules/base/map.h"
#include "rules/base/mem.h"
#include "rules/index_rows.h"
#include "rules/schema.h"

enum {
	DRAFTS_MAX = 128,
	RULES_MIN = 4, /* a dimension that fewer rules ask for costs more than evaluating those */
};

static const uint64_t SEED[2] = {0x696e646578, 0x72756c6573}; /* who writes the rules may slow only his own start */

struct test {
	uint32_t rule;
	uint32_t next; /* DIMENSION_TEXT: the next test of the same value, or UINT32_MAX */
	union {
		struct slice text;
		struct interval {
			int64_t from, to; /* both belong to it */
		} interval;
	} u;
};

struct draft {
	struct dimension form;
	struct test *tests;
	size_t count, capacity;
	uint64_t *tested;  /* bits of rules */
	uint64_t *watched; /* the same */
	size_t tested_count;
	size_t first_row, end_row; /* its rows, when they were made */
	double open;       /* tested rules that an answer leaves open, on average */
	size_t last_rule, last_count; /* the rule that was added last and how many tests it has */
};

struct builder {
	const struct cel_env *env;
	struct arena *arena;
	struct index_rows rows;
	size_t rule_count, test_count;
	struct draft drafts[DRAFTS_MAX];
	size_t draft_count, made_count;
};

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
static struct interval interval_of(enum cel_test test, int64_t number)
{
	static const struct interval none = {1, 0};
	switch (test) {
	case CEL_TEST_LT:
		return number == INT64_MIN ? none : (struct interval){INT64_MIN, number - 1};
	case CEL_TEST_LE:
		return (struct interval){INT64_MIN, number};
	case CEL_TEST_GT:
		return number == INT64_MAX ? none : (struct interval){number + 1, INT64_MAX};
	case CEL_TEST_GE:
		return (struct interval){number, INT64_MAX};
	default:
		return (struct interval){number, number};
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
	if (clause->test == CEL_TEST_OTHER)
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
static bool read_path(const struct builder *builder, const struct cel_conjunct *clause, struct slice key,
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

static struct draft *find_draft(struct builder *builder, const struct dimension *form)
{
	for (size_t i = 0; i < builder->draft_count; i++) {
		const struct dimension *other = &builder->drafts[i].form;
		if (other->kind == form->kind && other->value_kind == form->value_kind && is_same_path(&other->path, &form->path))
			return &builder->drafts[i];
	}
	return NULL;
}

static struct draft *draft_of(struct builder *builder, enum dimension_kind kind, const struct cel_conjunct *clause,
                              struct slice key)
{
	struct dimension form = {.kind = kind, .value_kind = value_kind(clause)};
	if (!read_path(builder, clause, key, &form.path))
		return NULL;
	struct draft *known = find_draft(builder, &form);
	if (known != NULL)
		return known;
	if (builder->draft_count == DRAFTS_MAX)
		return NULL;
	struct draft *draft = &builder->drafts[builder->draft_count++];
	*draft = (struct draft){.form = form, .last_rule = SIZE_MAX};
	draft->tested = xcalloc(builder->rows.width, INDEX_BLOCK_WORDS * sizeof *draft->tested);
	draft->watched = xcalloc(builder->rows.width, INDEX_BLOCK_WORDS * sizeof *draft->watched);
	return draft;
}

static struct test *add_test(struct draft *draft, size_t rule)
{
	if (draft->count == draft->capacity) {
		draft->capacity = draft->capacity * 2 + 64;
		draft->tests = xreallocarray(draft->tests, draft->capacity, sizeof *draft->tests);
	}
	struct test *test = &draft->tests[draft->count++];
	*test = (struct test){.rule = (uint32_t)rule, .next = UINT32_MAX};
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

static void add_texts(struct builder *builder, struct draft *draft, size_t rule, const struct cel_conjunct *clause)
{
	for (uint32_t i = 0; i < clause->constant_count; i++) {
		struct slice text = cel_slice(clause->constants[i]);
		bool is_suffix = draft->form.kind == DIMENSION_SUFFIX;
		add_test(draft, rule)->u.text = is_suffix ? backwards(text, builder->arena) : text;
	}
}

static void add_interval(struct draft *draft, size_t rule, struct interval interval)
{
	if (interval.from <= interval.to)
		add_test(draft, rule)->u.interval = interval;
}

static void add_numbers(struct draft *draft, size_t rule, const struct cel_conjunct *clause)
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
static void narrow(struct draft *draft, const struct cel_conjunct *clause)
{
	int64_t number;
	if (clause->constant_count != 1 || clause->test == CEL_TEST_NE || draft->last_count != 1)
		return;
	read_number(draft->form.value_kind, clause->constants[0], &number);
	struct interval *known = &draft->tests[draft->count - 1].u.interval, more = interval_of(clause->test, number);
	if (more.from > known->from)
		known->from = more.from;
	if (more.to < known->to)
		known->to = more.to;
	if (known->from > known->to) {
		draft->count--;
		draft->last_count = 0;
	}
}

static void add_clause(struct builder *builder, size_t rule, const struct cel_conjunct *clause, struct slice key)
{
	enum dimension_kind kind;
	struct draft *draft = classify(clause, &kind) ? draft_of(builder, kind, clause, key) : NULL;
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

static void collect(struct builder *builder, const struct cel_program *const *programs)
{
	for (size_t rule = 0; rule < builder->rule_count; rule++) {
		size_t count = 0;
		const struct cel_conjunct *clauses = programs[rule] ? cel_program_conjuncts(programs[rule], &count) : NULL;
		for (size_t i = 0; i < count; i++) {
			const struct cel_keyed *keyed = clauses[i].keyed;
			add_clause(builder, rule, keyed ? &keyed->form : &clauses[i], keyed ? keyed->key : SLICE_NONE);
		}
	}
}

/* ---- tables. Each ends early when the rows are full. */

/* First and last test of one value. */
struct chain {
	struct slice text;
	uint32_t first, last;
};

/* Tests of equal texts linked; returns the chains, on the heap. */
static struct chain *chain_texts(struct draft *draft, size_t *ret_count)
{
	struct chain *chains = xcalloc(draft->count + 1, sizeof *chains);
	struct map map;
	size_t count = 0;
	map_init(&map, SEED);
	for (uint32_t i = 0; i < draft->count; i++) {
		struct test *test = &draft->tests[i];
		uintptr_t known = (uintptr_t)map_get(&map, test->u.text);
		if (known != 0) {
			draft->tests[chains[known - 1].last].next = i;
			chains[known - 1].last = i;
			continue;
		}
		chains[count++] = (struct chain){test->u.text, i, i};
		map_put(&map, test->u.text, (void *)(uintptr_t)count);
	}
	map_done(&map);
	*ret_count = count;
	return chains;
}

/* false: another value that needs no text has this hash, once in 2^64 times. */
static bool put_text(struct text_slot *slots, size_t mask, const struct slice *texts, uint32_t text, uint32_t row)
{
	uint64_t hash = index_hash(texts[text]);
	size_t at = hash & mask;
	bool is_new = true;
	for (; slots[at].row != 0; at = (at + 1) & mask)
		is_new &= slots[at].hash != hash;
	slots[at] = (struct text_slot){hash, row, text};
	return is_new;
}

/* Values that one rule alone names have one row: long `in` lists are not long here. */
static uint32_t row_of_chain(struct builder *builder, const struct draft *draft, const struct chain *chain,
                             uint32_t *row_of_rule)
{
	uint32_t only = draft->tests[chain->first].rule;
	if (chain->first == chain->last && row_of_rule[only] != 0)
		return row_of_rule[only];
	uint32_t row = index_rows_add(&builder->rows, draft->form.missed_row);
	for (uint32_t i = chain->first; i != UINT32_MAX; i = draft->tests[i].next)
		index_rows_set(&builder->rows, draft->tests[i].rule, draft->form.kind == DIMENSION_TEXT);
	if (chain->first == chain->last)
		row_of_rule[only] = row;
	return row;
}

static bool fill_texts(struct builder *builder, const struct draft *draft, const struct chain *chains, size_t count,
                       struct text_table *table)
{
	size_t slot_count = 16;
	while (slot_count < count * 2)
		slot_count *= 2;
	struct text_slot *slots = arena_array(builder->arena, slot_count, sizeof *slots);
	struct slice *texts = arena_array(builder->arena, count, sizeof *texts);
	uint32_t *row_of_rule = xcalloc(builder->rule_count, sizeof *row_of_rule);
	bool is_exact = draft->form.kind == DIMENSION_NOT_TEXT, is_fine = true;
	for (uint32_t i = 0; i < count && is_fine && !index_rows_are_full(&builder->rows); i++) {
		texts[i] = chains[i].text;
		uint32_t row = row_of_chain(builder, draft, &chains[i], row_of_rule);
		is_fine = put_text(slots, slot_count - 1, texts, i, row) || is_exact;
	}
	free(row_of_rule);
	*table = (struct text_table){slots, slot_count - 1, is_exact ? texts : NULL};
	return is_fine;
}

static bool make_texts(struct builder *builder, struct draft *draft)
{
	size_t count;
	struct chain *chains = chain_texts(draft, &count);
	bool is_fine = fill_texts(builder, draft, chains, count, &draft->form.u.texts);
	free(chains);
	return is_fine;
}

static int by_text(const void *left, const void *right)
{
	const struct test *a = left, *b = right;
	return slice_compare(a->u.text, b->u.text);
}

struct affix_draft {
	uint64_t *heads;
	struct slice *texts;
	uint32_t *parents, *rows;
	size_t count;
};

static void add_affix(struct builder *builder, const struct draft *draft, struct affix_draft *affixes, struct slice text)
{
	size_t at = affixes->count++;
	uint32_t parent = at != 0 ? (uint32_t)at - 1 : UINT32_MAX;
	while (parent != UINT32_MAX && !slice_has_prefix(text, affixes->texts[parent]))
		parent = affixes->parents[parent];
	affixes->heads[at] = index_head(text);
	affixes->texts[at] = text;
	affixes->parents[at] = parent;
	affixes->rows[at] = index_rows_add(&builder->rows, parent != UINT32_MAX ? affixes->rows[parent] : draft->form.missed_row);
}

/* Sorted, so an affix comes after all that it begins with, and its row begins as the longest one's. */
static bool make_affixes(struct builder *builder, struct draft *draft)
{
	struct arena *arena = builder->arena;
	size_t count = draft->count, longest = 0;
	struct affix_draft affixes = {
		arena_array(arena, count, sizeof *affixes.heads), arena_array(arena, count, sizeof *affixes.texts),
		arena_array(arena, count, sizeof *affixes.parents), arena_array(arena, count, sizeof *affixes.rows), 0};
	qsort(draft->tests, count, sizeof *draft->tests, by_text);
	for (size_t i = 0; i < count && !index_rows_are_full(&builder->rows); i++) {
		struct slice text = draft->tests[i].u.text;
		if (affixes.count == 0 || !slice_equal(affixes.texts[affixes.count - 1], text))
			add_affix(builder, draft, &affixes, text);
		index_rows_set(&builder->rows, draft->tests[i].rule, true);
		longest = text.len > longest ? text.len : longest;
	}
	draft->form.u.affixes = (struct affix_table){affixes.heads, affixes.texts,  affixes.parents,
	                                             affixes.rows,  affixes.count, longest};
	return true;
}

/* From `at` on a rule is open or is not. */
struct turn {
	int64_t at;
	uint32_t rule;
	bool is_open;
};

/* Closing first: an interval of the same rule may begin where another one has ended. */
static int by_place(const void *left, const void *right)
{
	const struct turn *a = left, *b = right;
	int order = (a->at > b->at) - (a->at < b->at);
	return order ? order : (int)a->is_open - (int)b->is_open;
}

static size_t find_turns(const struct draft *draft, struct turn *turns)
{
	size_t count = 0;
	for (size_t i = 0; i < draft->count; i++) {
		const struct test *test = &draft->tests[i];
		turns[count++] = (struct turn){test->u.interval.from, test->rule, true};
		if (test->u.interval.to != INT64_MAX)
			turns[count++] = (struct turn){test->u.interval.to + 1, test->rule, false};
	}
	qsort(turns, count, sizeof *turns, by_place);
	return count;
}

static bool make_intervals(struct builder *builder, struct draft *draft)
{
	struct turn *turns = xcalloc(draft->count * 2 + 1, sizeof *turns);
	size_t turn_count = find_turns(draft, turns), count = 0;
	int64_t *from = arena_array(builder->arena, turn_count, sizeof *from);
	uint32_t *rows = arena_array(builder->arena, turn_count, sizeof *rows), row = draft->form.missed_row;
	for (size_t i = 0; i < turn_count && !index_rows_are_full(&builder->rows); i++) {
		if (i == 0 || turns[i].at != turns[i - 1].at) {
			row = index_rows_add(&builder->rows, row);
			from[count] = turns[i].at;
			rows[count++] = row;
		}
		index_rows_set(&builder->rows, turns[i].rule, turns[i].is_open);
	}
	draft->form.u.intervals = (struct interval_table){from, rows, count};
	free(turns);
	return true;
}

static bool make_table(struct builder *builder, struct draft *draft)
{
	switch (draft->form.kind) {
	case DIMENSION_TEXT:
	case DIMENSION_NOT_TEXT:
		return make_texts(builder, draft);
	case DIMENSION_PREFIX:
	case DIMENSION_SUFFIX:
		return make_affixes(builder, draft);
	case DIMENSION_NUMBER:
	case DIMENSION_HAS:
		return make_intervals(builder, draft);
	}
	return false;
}

static void find_openness(const struct builder *builder, struct draft *draft)
{
	const struct index_rows *rows = &builder->rows;
	double open = 0, free_rules = (double)(builder->rule_count - draft->tested_count);
	draft->end_row = rows->row_count;
	for (size_t i = draft->first_row; i < draft->end_row; i++)
		open += (double)rows->open[i];
	draft->open = open / (double)(draft->end_row - draft->first_row) - free_rules;
}

static bool make_dimension(struct builder *builder, struct draft *draft)
{
	struct index_rows *rows = &builder->rows;
	size_t row_count = rows->row_count, block_count = rows->block_count;
	draft->form.free_row = index_rows_add(rows, 0);
	for (size_t rule = 0; rule < builder->rule_count; rule++)
		if (draft->tested[rule / 64] >> rule % 64 & 1)
			index_rows_set(rows, rule, false);
	draft->form.missed_row = draft->form.kind == DIMENSION_NOT_TEXT ? 0 : draft->form.free_row;
	draft->first_row = row_count;
	bool is_fine = make_table(builder, draft) && !index_rows_are_full(rows);
	if (is_fine)
		find_openness(builder, draft);
	else
		index_rows_rewind(rows, row_count, block_count);
	return is_fine;
}

/* ---- the index */

static int by_use(const void *left, const void *right)
{
	const struct draft *a = left, *b = right;
	return (a->tested_count < b->tested_count) - (a->tested_count > b->tested_count);
}

/* What closes most rules comes first; a territory costs a look-up of its own, so it comes last. */
static int by_effect(const void *left, const void *right)
{
	const struct draft *a = left, *b = right;
	bool is_dear = a->form.path.slot == SLOT_TERRITORY, is_other_dear = b->form.path.slot == SLOT_TERRITORY;
	if (is_dear != is_other_dear)
		return is_dear ? 1 : -1;
	double closed = (double)a->tested_count - a->open, other = (double)b->tested_count - b->open;
	return (closed < other) - (closed > other);
}

/* Leaves the drafts that became dimensions, in their order. */
static void make_dimensions(struct builder *builder)
{
	size_t made = 0;
	qsort(builder->drafts, builder->draft_count, sizeof *builder->drafts, by_use);
	for (size_t i = 0; i < builder->draft_count; i++) {
		struct draft draft = builder->drafts[i];
		if (made == INDEX_DIMENSIONS_MAX || draft.tested_count < RULES_MIN || !make_dimension(builder, &draft))
			continue;
		builder->drafts[i] = builder->drafts[made];
		builder->drafts[made++] = draft;
	}
	builder->made_count = made;
	qsort(builder->drafts, made, sizeof *builder->drafts, by_effect);
}

/* The dimension that leaves the fewest others open beside it, or NULL. */
static struct draft *watcher_of(struct builder *builder, size_t rule)
{
	struct draft *best = NULL;
	for (size_t i = 0; i < builder->made_count; i++) {
		struct draft *draft = &builder->drafts[i];
		if ((draft->tested[rule / 64] >> rule % 64 & 1) != 0 && (best == NULL || draft->open < best->open))
			best = draft;
	}
	return best;
}

static void share_out(struct builder *builder, struct rule_index *index)
{
	for (size_t rule = 0; rule < builder->rule_count; rule++) {
		struct draft *watcher = watcher_of(builder, rule);
		if (watcher == NULL) {
			index->live |= (uint64_t)1 << rule / INDEX_BLOCK_RULES;
			continue;
		}
		watcher->watched[rule / 64] |= (uint64_t)1 << rule % 64;
		watcher->form.has_watched = true;
	}
}

static void finish(struct builder *builder, struct rule_index *index)
{
	struct dimension *dimensions = arena_array(builder->arena, builder->made_count, sizeof *dimensions);
	share_out(builder, index);
	index_rows_finish(&builder->rows, index, builder->arena);
	for (size_t i = 0; i < builder->made_count; i++) {
		const struct draft *draft = &builder->drafts[i];
		dimensions[i] = draft->form;
		index_rows_watch(index, draft->first_row, draft->end_row, draft->watched);
	}
	index->dimensions = dimensions;
	index->dimension_count = builder->made_count;
}

const struct rule_index *index_new(const struct cel_program *const *programs, size_t count, const struct cel_env *env,
                                   struct arena *arena)
{
	if (count > INDEX_RULES_MAX)
		return NULL;
	struct builder *builder = xcalloc(1, sizeof *builder);
	struct rule_index *index = arena_alloc(arena, sizeof *index);
	builder->env = env;
	builder->arena = arena;
	builder->rule_count = index->rule_count = count;
	index_rows_init(&builder->rows, count);
	collect(builder, programs);
	make_dimensions(builder);
	finish(builder, index);
	for (size_t i = 0; i < builder->draft_count; i++) {
		free(builder->drafts[i].tests);
		free(builder->drafts[i].tested);
		free(builder->drafts[i].watched);
	}
	index_rows_done(&builder->rows);
	free(builder);
	return index;
}
