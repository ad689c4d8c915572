/* SPDX-License-Identifier: Apache-2.0
 *
 * The way of an expression: read → check → fold and compile → describe; then evaluating it.
 */
#include "rules/cel/program.h"

#include "rules/cel/check.h"
#include "rules/cel/lint.h"
#include "rules/cel/utf8.h"
#include "rules/text/regex.h"

struct build {
	const struct cel_env *env;
	struct slice text;
	const struct cel_type *wanted;
	struct arena *work, *keep;
	struct cel_issues *issues;
};

static bool is_readable(const struct build *build)
{
	if (build->text.len > CEL_MAX_TEXT_BYTES) {
		issue_refuse(build->issues, build->keep, ERR_CEL_TOO_LARGE, (struct extent){0, 0},
			     "the expression has %zu bytes, more than %d", build->text.len, CEL_MAX_TEXT_BYTES);
		return false;
	}
	size_t valid = utf8_valid_length(build->text);
	if (valid != build->text.len)
		issue_refuse(build->issues, build->keep, ERR_CEL_SYNTAX, (struct extent){(uint32_t)valid, 1},
			     "the byte 0x%02x is not valid UTF-8", (unsigned char)build->text.p[valid]);
	return valid == build->text.len;
}

static struct node *read_tree(const struct build *build)
{
	if (!is_readable(build))
		return NULL;
	struct parse_input input = {
		.text = build->text, .issues = build->issues, .work = build->work, .keep = build->keep};
	struct node *root = parse_expression(&input);
	if (root == NULL)
		return NULL;
	struct check_input check = {.env = build->env,
				    .wanted = build->wanted,
				    .issues = build->issues,
				    .work = build->work,
				    .keep = build->keep};
	check_expression(&check, root);
	return build->issues->is_refused ? NULL : root;
}

/* Types of the tree live in the work arena; the one that stays is copied. */
const struct cel_type *program_keep_type(const struct cel_type *type, struct arena *keep)
{
	bool is_simple = type->item == NULL && type->kind != CEL_OBJECT && type->kind < CEL_ERROR;
	if (is_simple)
		return cel_type_of((struct cel_value){.kind = (uint8_t)type->kind});
	struct cel_type *copy = arena_alloc(keep, sizeof *copy);
	*copy = *type;
	if (type->item != NULL)
		copy->item = program_keep_type(type->item, keep);
	if (type->key != NULL)
		copy->key = program_keep_type(type->key, keep);
	return copy;
}

static void free_regexes(struct owned_regex *owned)
{
	for (; owned != NULL; owned = owned->next) {
		regex_free(owned->regex);
		owned->regex = NULL;
	}
}

static int build_program(const struct build *build, struct cel_program **ret_program)
{
	struct node *root = read_tree(build);
	if (root == NULL)
		return -1;
	struct compiler compiler = {.env = build->env,
				    .issues = build->issues,
				    .work = build->work,
				    .keep = build->keep,
				    .fold_steps_left = FOLD_STEPS};
	uint64_t cost = program_cost(root);
	struct cel_program reads = {0};
	program_find_paths(&reads, root, build->keep);
	const struct code *code = compile_node(&compiler, root);
	if (build->issues->is_refused) {
		free_regexes(compiler.regexes);
		return -1;
	}
	if (!build->env->is_lenient && !build->env->is_unchecked)
		lint_expression(build->env, root, build->text, build->issues, build->keep);
	struct cel_program *program = arena_alloc(build->keep, sizeof *program);
	*program = (struct cel_program){.text = build->text,
					.type = program_keep_type(root->type, build->keep),
					.root = code,
					.cost = cost,
					.regexes = compiler.regexes,
					.paths = reads.paths,
					.path_count = reads.path_count};
	program_find_conjuncts(program, root, build->keep);
	*ret_program = program;
	return 0;
}

int cel_compile(const struct cel_env *env, struct slice text, const struct cel_type *wanted, struct arena *arena,
		struct cel_issues *issues, struct cel_program **ret_program)
{
	struct arena work = ARENA_INIT;
	size_t kept = text.len <= CEL_MAX_TEXT_BYTES ? text.len : 0;
	struct build build = {.env = env,
			      .text = {arena_memdupz(arena, text.p, kept), text.len},
			      .wanted = wanted,
			      .work = &work,
			      .keep = arena,
			      .issues = issues};
	issues->count = issues->omitted = 0;
	issues->is_refused = false;
	int result = build_program(&build, ret_program);
	arena_done(&work);
	return result;
}

void cel_program_done(struct cel_program *program)
{
	if (program == NULL)
		return;
	free_regexes(program->regexes);
	program->regexes = NULL;
}

static void fetch(const void *from, size_t bytes)
{
	enum { LINE_BYTES = 64 };
	for (size_t at = 0; at < bytes; at += LINE_BYTES)
		__builtin_prefetch((const char *)from + at);
}

/* It was allocated in one go: text, nodes from the root on, clauses. Mostly the first clause tells. */
void cel_program_fetch(const struct cel_program *program)
{
	enum { FIRST_BYTES = 512, CLAUSE_BYTES = 128 };
	fetch(program->text.p, FIRST_BYTES);
	fetch(program->conjuncts, CLAUSE_BYTES);
}

struct slice cel_program_text(const struct cel_program *program)
{
	return program->text;
}

const struct cel_type *cel_program_type(const struct cel_program *program)
{
	return program->type;
}

uint64_t cel_program_cost(const struct cel_program *program)
{
	return program->cost;
}

/* The locals stay unset: every one is written by its macro before its body reads it. */
static void run_init(struct cel_run *run, const struct cel_value *slots, struct arena *scratch, uint64_t steps)
{
	run->slots = slots;
	run->arena = scratch;
	run->steps_left = steps;
	run->is_exhausted = false;
	run->at = (struct extent){0, 0};
}

static struct cel_value finish(struct cel_run *run, struct cel_value value)
{
	return run->is_exhausted ? run_exhausted(run) : value;
}

struct cel_value cel_eval(const struct cel_program *program, const struct cel_value *slots, struct arena *scratch,
			  uint64_t steps)
{
	struct cel_run run;
	run_init(&run, slots, scratch, steps);
	return finish(&run, code_run(program->root, &run));
}

struct cel_value cel_eval_explain(const struct cel_program *program, const struct cel_value *slots,
				  struct arena *scratch, uint64_t steps, size_t *ret_clause,
				  struct cel_value *ret_said)
{
	struct cel_run run;
	run_init(&run, slots, scratch, steps);
	const struct code *root = program->root, *const *clauses = &root;
	size_t count = 1, failed;
	if (root->run == code_and) {
		clauses = root->args;
		count = root->count;
	}
	struct cel_value said = cel_bool(true);
	for (failed = 0; failed < count; failed++) {
		said = code_run(clauses[failed], &run);
		if (!cel_is_true(said))
			break;
	}
	*ret_clause = failed < count && failed >= CEL_MAX_CONJUNCTS ? CEL_MAX_CONJUNCTS : failed;
	if (failed == count)
		*ret_clause = program->conjunct_count;
	*ret_said = said;
	/* an error may still be absorbed by a later clause that is false: the whole decides */
	bool is_settled = failed == count || (said.kind == CEL_BOOL && !run.is_exhausted);
	return finish(&run, is_settled ? said : code_run(root, &run));
}
