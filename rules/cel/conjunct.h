/* SPDX-License-Identifier: Apache-2.0
 *
 * A condition seen as a list of clauses, `a && b && c`: what the rule index can look up instead of evaluating, and
 * which clause said no first.
 */
#ifndef LR_RULES_CEL_CONJUNCT_H
#define LR_RULES_CEL_CONJUNCT_H

#include "rules/cel/cel.h"

enum cel_test {
	CEL_TEST_OTHER, /* none of the forms below: must be evaluated */
	CEL_TEST_EQ,    /* path == constant */
	CEL_TEST_NE,
	CEL_TEST_LT,
	CEL_TEST_LE,
	CEL_TEST_GT,
	CEL_TEST_GE,
	CEL_TEST_IN,     /* path in [constants], path == constant || path == constant */
	CEL_TEST_NOT_IN,
	CEL_TEST_PREFIX, /* path.startsWith(constant) */
	CEL_TEST_SUFFIX, /* path.endsWith(constant) */
	CEL_TEST_HAS,    /* has(path) */
	CEL_TEST_NOT_HAS,
	CEL_TEST_TRUE,   /* path, a bool */
	CEL_TEST_FALSE,  /* !path */
};

enum { CEL_MAX_PATH = 6 };

struct cel_keyed;
struct cel_alternative;

struct cel_conjunct {
	uint32_t offset, length; /* inside the expression */
	enum cel_test test;
	uint32_t slot;                 /* variable; valid unless CEL_TEST_OTHER */
	uint32_t path_count;           /* fields behind it; 0: the variable itself */
	uint32_t path[CEL_MAX_PATH];   /* declared field indexes, from the variable outwards */
	const struct cel_type *type;   /* of what the path reads */
	const struct cel_value *constants; /* one, or for CEL_TEST_(NOT_)IN constant_count of them */
	uint32_t constant_count;
	const struct cel_keyed *keyed; /* CEL_TEST_OTHER: what it is when it tests a value of a map, or NULL */
	/* CEL_TEST_OTHER: it is true only where one of these is; 0: it is no choice */
	const struct cel_alternative *alternatives;
	uint32_t alternative_count;
	bool is_denied; /* it speaks of where the text is false: in an alternative, behind a `!` further out */
};

/* `a && b` of `a && b || c`, `!a` and `!b` of `!(a || b)`, `c && a` of `c ? a : b`: true only where all clauses are. */
struct cel_alternative {
	const struct cel_conjunct *clauses;
	uint32_t clause_count;
};

/* facts["geo.country"] == "DE", lead.attributes.plan in ["gold"]: the path reads a map, the test is of what it holds
 * under the key. Without the key the clause is an error; the value may be of any kind. */
struct cel_keyed {
	struct cel_conjunct form;
	struct slice key;
};

/* The top-level && operands, at least one. Live with the program. Beyond CEL_MAX_CONJUNCTS the rest is one last entry
 * of CEL_TEST_OTHER. A constant on the left (`"x" == lead.a`) is turned round, and `!` before a test is drawn into it. */
const struct cel_conjunct *cel_program_conjuncts(const struct cel_program *program, size_t *ret_count);

/* cel_eval, but the clauses are evaluated in order and the first that is not true is reported: *ret_clause is its
 * index in cel_program_conjuncts(), or the count when all are true, and *ret_said what it gave (false or an error). The
 * result is that of cel_eval. */
struct cel_value cel_eval_explain(const struct cel_program *program, const struct cel_value *slots,
				  struct arena *scratch, uint64_t steps, size_t *ret_clause,
				  struct cel_value *ret_said);

#endif
