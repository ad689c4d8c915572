/* SPDX-License-Identifier: Apache-2.0
 *
 * Clauses and their form, and the static cost: both are read off the tree.
 */
#include "rules/cel/program.h"

/* ---- cost */

enum { ASSUMED_ITEMS = 100 };

static uint64_t add(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static uint64_t multiply(uint64_t a, uint64_t b)
{
	uint64_t result;
	return __builtin_mul_overflow(a, b, &result) ? UINT64_MAX : result;
}

static uint64_t assumed_turns(const struct node *range)
{
	if (range->kind == NODE_LIST)
		return range->arg_count;
	return range->kind == NODE_MAP ? range->arg_count / 2 : ASSUMED_ITEMS;
}

uint64_t program_cost(const struct node *root)
{
	uint64_t cost = 1;
	for (uint32_t i = 0; i < root->arg_count; i++)
		cost = add(cost, program_cost(root->args[i]));
	if (root->kind != NODE_LOOP)
		return cost;
	uint64_t turn = 1;
	if (root->loop->guard != NULL)
		turn = add(turn, program_cost(root->loop->guard));
	if (root->loop->body != NULL)
		turn = add(turn, program_cost(root->loop->body));
	return add(cost, multiply(assumed_turns(root->args[0]), turn));
}

/* ---- clauses */

enum { MOST_CHOICES = 64 }; /* of `x == a || x == b …` */

/* variable.field.field: fills slot, path and type. */
static bool read_path(const struct node *node, struct cel_conjunct *clause)
{
	uint32_t reversed[CEL_MAX_PATH], count = 0;
	clause->type = node->type;
	while (node->kind == NODE_SELECT && node->resolution == RESOLVED_FIELD && !node->is_optional) {
		if (count == CEL_MAX_PATH)
			return false;
		reversed[count++] = node->index;
		node = node->args[0];
	}
	if ((node->kind != NODE_NAME && node->kind != NODE_SELECT) || node->resolution != RESOLVED_SLOT)
		return false;
	clause->slot = node->index;
	clause->path_count = count;
	for (uint32_t i = 0; i < count; i++)
		clause->path[i] = reversed[count - 1 - i];
	return true;
}

/* map["key"] and map.key. NULL: the node is neither. */
static const struct node *keyed_map(const struct node *node, struct slice *ret_key)
{
	bool is_index = node->kind == NODE_CALL && node->is_operator && slice_is(node->name, "[]") &&
			node->args[1]->kind == NODE_CONST && node->args[1]->value.kind == CEL_STRING;
	bool is_select = node->kind == NODE_SELECT && node->resolution == RESOLVED_NOT;
	if ((!is_index && !is_select) || node->is_optional || node->args[0]->type->kind != CEL_MAP)
		return NULL;
	*ret_key = is_index ? cel_slice(node->args[1]->value) : node->name;
	return node->args[0];
}

/* What is tested: a path, or a value of the map at its end. */
static bool read_operand(const struct node *node, struct cel_keyed *clause)
{
	const struct node *map = keyed_map(node, &clause->key);
	bool is_read = read_path(map != NULL ? map : node, &clause->form);
	clause->form.type = node->type;
	return is_read && (map == NULL || clause->key.p != NULL);
}

static const struct {
	const char *name;
	enum cel_test test, turned; /* with the operands exchanged */
} operators[] = {
	{"==", CEL_TEST_EQ, CEL_TEST_EQ}, {"!=", CEL_TEST_NE, CEL_TEST_NE}, {"<", CEL_TEST_LT, CEL_TEST_GT},
	{"<=", CEL_TEST_LE, CEL_TEST_GE}, {">", CEL_TEST_GT, CEL_TEST_LT},  {">=", CEL_TEST_GE, CEL_TEST_LE},
};

static bool set_constant(struct cel_keyed *clause, struct cel_value value, struct arena *keep)
{
	struct cel_value *constant = arena_alloc(keep, sizeof *constant);
	*constant = value;
	clause->form.constants = constant;
	clause->form.constant_count = 1;
	return true;
}

static bool read_comparison(const struct node *node, struct cel_keyed *clause, struct arena *keep)
{
	for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
		if (!slice_is(node->name, operators[i].name))
			continue;
		bool is_turned = node->args[0]->kind == NODE_CONST;
		const struct node *constant = node->args[!is_turned], *path = node->args[is_turned];
		if (constant->kind != NODE_CONST || !read_operand(path, clause))
			return false;
		clause->form.test = is_turned ? operators[i].turned : operators[i].test;
		return set_constant(clause, constant->value, keep);
	}
	return false;
}

static bool read_in(const struct node *node, struct cel_keyed *clause)
{
	const struct node *list = node->args[1];
	if (list->kind != NODE_CONST || list->value.kind != CEL_LIST || !read_operand(node->args[0], clause))
		return false;
	clause->form.test = CEL_TEST_IN;
	clause->form.constants = list->value.as.list->items;
	clause->form.constant_count = list->value.as.list->count;
	return true;
}

static bool read_affix(const struct node *node, struct cel_keyed *clause, struct arena *keep)
{
	bool is_prefix = slice_is(node->name, "startsWith");
	if (!is_prefix && !slice_is(node->name, "endsWith"))
		return false;
	if (node->arg_count != 2 || node->args[1]->kind != NODE_CONST || node->args[1]->value.kind != CEL_STRING ||
	    !read_operand(node->args[0], clause))
		return false;
	clause->form.test = is_prefix ? CEL_TEST_PREFIX : CEL_TEST_SUFFIX;
	return set_constant(clause, node->args[1]->value, keep);
}

static bool read_has(const struct node *node, struct cel_conjunct *clause)
{
	struct node as_select = *node;
	as_select.kind = NODE_SELECT;
	bool is_declared = node->resolution == RESOLVED_FIELD && node->args[0]->type->kind == CEL_OBJECT;
	if (!is_declared || !read_path(&as_select, clause))
		return false;
	clause->test = CEL_TEST_HAS;
	clause->type = node->args[0]->type->object->fields[node->index].type; /* the node itself is a bool */
	return true;
}

/* NaN fails both `x < 5` and `x >= 5`, and what may be of any kind may be such a number. */
static bool is_ordered(const struct cel_type *type)
{
	return type->kind != CEL_DOUBLE && type->kind != CEL_DYN;
}

/* The test that holds where this one does not. False: it has none. */
static bool negate(struct cel_conjunct *clause)
{
	static const struct {
		enum cel_test test, opposite;
	} pairs[] = {
		{CEL_TEST_EQ, CEL_TEST_NE},       {CEL_TEST_IN, CEL_TEST_NOT_IN}, {CEL_TEST_HAS, CEL_TEST_NOT_HAS},
		{CEL_TEST_TRUE, CEL_TEST_FALSE},  {CEL_TEST_LT, CEL_TEST_GE},     {CEL_TEST_GT, CEL_TEST_LE},
	};
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		if (clause->test != pairs[i].test && clause->test != pairs[i].opposite)
			continue;
		bool is_order = pairs[i].test == CEL_TEST_LT || pairs[i].test == CEL_TEST_GT;
		if (is_order && !is_ordered(clause->type))
			return false;
		clause->test = clause->test == pairs[i].test ? pairs[i].opposite : pairs[i].test;
		return true;
	}
	return false;
}

static bool read_clause(const struct node *node, struct cel_keyed *clause, struct arena *keep);

static bool is_same_operand(const struct cel_keyed *a, const struct cel_keyed *b)
{
	return a->form.slot == b->form.slot && a->form.path_count == b->form.path_count &&
	       memcmp(a->form.path, b->form.path, a->form.path_count * sizeof *a->form.path) == 0 &&
	       slice_equal(a->key, b->key) && (a->key.p == NULL) == (b->key.p == NULL);
}

static void unite_constants(struct cel_conjunct *list, const struct cel_conjunct *more, struct arena *keep)
{
	uint32_t count = list->constant_count + more->constant_count;
	struct cel_value *constants = arena_array(keep, count, sizeof *constants);
	for (uint32_t i = 0; i < count; i++)
		constants[i] = i < list->constant_count ? list->constants[i] : more->constants[i - list->constant_count];
	list->constants = constants;
	list->constant_count = count;
}

/* `x == a || x == b || x in [c, d]` */
static bool read_or(const struct node *node, struct cel_keyed *clause, struct arena *keep)
{
	if (node->arg_count > MOST_CHOICES)
		return false;
	for (uint32_t i = 0; i < node->arg_count; i++) {
		struct cel_keyed part = {.key = SLICE_NONE};
		bool is_choice = read_clause(node->args[i], &part, keep) &&
				 (part.form.test == CEL_TEST_EQ || part.form.test == CEL_TEST_IN);
		if (!is_choice || (i != 0 && !is_same_operand(clause, &part)))
			return false;
		if (i == 0)
			*clause = part;
		else
			unite_constants(&clause->form, &part.form, keep);
	}
	clause->form.test = CEL_TEST_IN;
	return true;
}

static bool read_operator(const struct node *node, struct cel_keyed *clause, struct arena *keep)
{
	if (slice_is(node->name, "!"))
		return read_clause(node->args[0], clause, keep) && negate(&clause->form);
	if (slice_is(node->name, "in"))
		return read_in(node, clause);
	return node->arg_count == 2 && read_comparison(node, clause, keep);
}

static bool read_clause(const struct node *node, struct cel_keyed *clause, struct arena *keep)
{
	switch (node->kind) {
	case NODE_HAS:
		return read_has(node, &clause->form);
	case NODE_SELECT:
	case NODE_NAME:
		clause->form.test = CEL_TEST_TRUE;
		return node->type->kind == CEL_BOOL && read_path(node, &clause->form);
	case NODE_OR:
		return read_or(node, clause, keep);
	case NODE_CALL:
		return node->is_operator ? read_operator(node, clause, keep) : read_affix(node, clause, keep);
	default:
		return false;
	}
}

/* ---- choices: what is true where a part gives `holds` */

static void describe(const struct node *node, bool holds, struct cel_conjunct *clause, struct arena *keep);

static const struct node *without_not(const struct node *node, bool *inout_holds)
{
	for (; node->kind == NODE_CALL && node->is_operator && slice_is(node->name, "!"); node = node->args[0])
		*inout_holds = !*inout_holds;
	return node;
}

/* How many clauses a part comes to: those of `a && b`, or of `!(a || b)`. */
static uint32_t part_count(const struct node *node, bool holds)
{
	node = without_not(node, &holds);
	return node->kind == (holds ? NODE_AND : NODE_OR) ? node->arg_count : 1;
}

static uint32_t describe_part(const struct node *node, bool holds, struct cel_conjunct *clauses, struct arena *keep)
{
	uint32_t count = part_count(node, holds);
	if (count == 1) {
		describe(node, holds, clauses, keep);
		return 1;
	}
	node = without_not(node, &holds);
	for (uint32_t i = 0; i < count; i++)
		describe(node->args[i], holds, &clauses[i], keep);
	return count;
}

static struct cel_alternative alternative(const struct node *node, bool holds, struct arena *keep)
{
	struct cel_conjunct *clauses = arena_array(keep, part_count(node, holds), sizeof *clauses);
	return (struct cel_alternative){clauses, describe_part(node, holds, clauses, keep)};
}

/* `c ? a : b` is true where c and a are, or where c is not and b is. */
static struct cel_alternative branch(const struct node *choice, bool is_taken, bool holds, struct arena *keep)
{
	const struct node *condition = choice->args[0], *result = choice->args[is_taken ? 1 : 2];
	uint32_t count = part_count(condition, is_taken) + part_count(result, holds);
	struct cel_conjunct *clauses = arena_array(keep, count, sizeof *clauses);
	uint32_t used = describe_part(condition, is_taken, clauses, keep);
	describe_part(result, holds, clauses + used, keep);
	return (struct cel_alternative){clauses, count};
}

static void find_alternatives(const struct node *node, bool holds, struct cel_conjunct *clause, struct arena *keep)
{
	node = without_not(node, &holds);
	bool is_choice = node->kind == NODE_CHOICE, is_all = node->kind == (holds ? NODE_AND : NODE_OR);
	if (!is_choice && !is_all && node->kind != (holds ? NODE_OR : NODE_AND))
		return;
	uint32_t count = is_choice ? 2 : is_all ? 1 : node->arg_count;
	struct cel_alternative *items = arena_array(keep, count, sizeof *items);
	for (uint32_t i = 0; i < count; i++)
		items[i] = is_choice ? branch(node, i == 0, holds, keep) : alternative(is_all ? node : node->args[i], holds, keep);
	clause->alternatives = items;
	clause->alternative_count = count;
}

static void describe(const struct node *node, bool holds, struct cel_conjunct *clause, struct arena *keep)
{
	struct cel_keyed form = {.key = SLICE_NONE};
	bool is_known = read_clause(node, &form, keep) && (holds || negate(&form.form));
	*clause = (struct cel_conjunct){.test = CEL_TEST_OTHER};
	if (is_known)
		form.form.type = program_keep_type(form.form.type, keep);
	if (is_known && form.key.p == NULL) {
		*clause = form.form;
	} else if (is_known) {
		struct cel_keyed *keyed = arena_alloc(keep, sizeof *keyed);
		*keyed = form;
		clause->keyed = keyed;
	} else {
		find_alternatives(node, holds, clause, keep);
	}
	clause->offset = node->span.offset;
	clause->length = node->span.length;
	clause->is_denied = !holds;
}

/* What lies beyond the limit becomes one clause that must be evaluated. */
static void describe_rest(const struct node *first, const struct node *last, struct cel_conjunct *clause)
{
	*clause = (struct cel_conjunct){.test = CEL_TEST_OTHER};
	clause->offset = first->span.offset;
	clause->length = last->span.offset + last->span.length - first->span.offset;
}

void program_find_conjuncts(struct cel_program *program, const struct node *root, struct arena *keep)
{
	bool is_and = root->kind == NODE_AND;
	uint32_t found = is_and ? root->arg_count : 1;
	uint32_t count = found <= CEL_MAX_CONJUNCTS ? found : CEL_MAX_CONJUNCTS + 1;
	program->conjuncts = arena_array(keep, count, sizeof *program->conjuncts);
	program->conjunct_count = count;
	for (uint32_t i = 0; i < count && i < CEL_MAX_CONJUNCTS; i++)
		describe(is_and ? root->args[i] : root, true, &program->conjuncts[i], keep);
	if (count > CEL_MAX_CONJUNCTS)
		describe_rest(root->args[CEL_MAX_CONJUNCTS], root->args[found - 1],
			      &program->conjuncts[CEL_MAX_CONJUNCTS]);
}

const struct cel_conjunct *cel_program_conjuncts(const struct cel_program *program, size_t *ret_count)
{
	*ret_count = program->conjunct_count;
	return program->conjuncts;
}
