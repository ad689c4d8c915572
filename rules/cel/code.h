/* SPDX-License-Identifier: Apache-2.0
 *
 * The compiled form: a tree of closures. Each node is a function and its data; evaluating is calling the root. There is
 * no dispatch loop, and every form that is frequent in rules (a field against a constant) has a function of its own.
 *
 * Nodes are immutable and live in the program's arena.
 */
#ifndef LR_RULES_CEL_CODE_H
#define LR_RULES_CEL_CODE_H

#include "rules/cel/ast.h"
#include "rules/cel/run.h"
#include "rules/cel/std_time.h"

struct code;
struct regex;
typedef struct cel_value (*code_fn)(const struct code *code, struct cel_run *run);

struct code {
	code_fn run;
	struct extent span;
	uint32_t index; /* slot, local or field; of a comparison what it accepts (see COMPARE_…) */
	uint32_t count; /* of args, candidates or constants */
	const struct code *a, *b;
	union {
		const struct code *c;
		const struct code *const *args;
	};
	union {
		struct cel_value value;
		struct slice name;
		const struct cel_object_type *object;
		struct {
			const struct cel_object_type *object;
			uint32_t field; /* the first one on the way, for an error */
		} place;
		const struct code_loop *loop;
		const struct code_dispatch *dispatch;
		struct time_zone zone;
		const struct regex *regex;
		const struct cel_map *set;
		const bool *is_optional;
	} u;
};

struct code_loop {
	enum loop_kind kind;
	uint32_t local;
	uint32_t name_count;
	uint32_t turn_cost; /* steps of one turn */
	const struct code *range, *guard, *body;
};

struct code_dispatch {
	struct slice name;
	const struct cel_function *const *candidates;
	uint32_t count;
};

/* What a comparison says yes to, as bits. */
enum { COMPARE_LESS = 1, COMPARE_SAME = 2, COMPARE_MORE = 4 };

/* text.startsWith("…") and its like, by a constant. */
enum { SEARCH_START, SEARCH_END, SEARCH_ANYWHERE };

static inline struct cel_value code_run(const struct code *code, struct cel_run *run)
{
	return code->run(code, run);
}

/* The functions that nodes can have; each says which members it uses. */
struct cel_value code_const(const struct code *code, struct cel_run *run);           /* u.value */
struct cel_value code_fail(const struct code *code, struct cel_run *run);            /* u.name: undeclared */
struct cel_value code_slot(const struct code *code, struct cel_run *run);            /* index */
struct cel_value code_slot_field(const struct code *code, struct cel_run *run);      /* index, slot in count, u.object */
struct cel_value code_slot_text(const struct code *code, struct cel_run *run);       /* slot in count, offset in index, u.place */
struct cel_value code_slot_int(const struct code *code, struct cel_run *run);        /* the same */
struct cel_value code_local(const struct code *code, struct cel_run *run);           /* index */
struct cel_value code_field(const struct code *code, struct cel_run *run);           /* a, index, u.object */
struct cel_value code_has_field(const struct code *code, struct cel_run *run);       /* a, index, u.object */
struct cel_value code_select(const struct code *code, struct cel_run *run);          /* a, u.name */
struct cel_value code_has_key(const struct code *code, struct cel_run *run);         /* a, u.name */
struct cel_value code_and(const struct code *code, struct cel_run *run);             /* args, count */
struct cel_value code_or(const struct code *code, struct cel_run *run);              /* args, count */
struct cel_value code_not(const struct code *code, struct cel_run *run);             /* a */
struct cel_value code_choice(const struct code *code, struct cel_run *run);          /* a, b, c */
struct cel_value code_equal(const struct code *code, struct cel_run *run);           /* a, b */
struct cel_value code_not_equal(const struct code *code, struct cel_run *run);       /* a, b */
struct cel_value code_equal_text(const struct code *code, struct cel_run *run);      /* a, u.name; index: is it != */
struct cel_value code_compare(const struct code *code, struct cel_run *run);         /* a, b, index */
struct cel_value code_compare_int(const struct code *code, struct cel_run *run);     /* a, index, u.value */
struct cel_value code_in(const struct code *code, struct cel_run *run);              /* a, b */
struct cel_value code_in_texts(const struct code *code, struct cel_run *run);        /* a, u.value: list of strings */
struct cel_value code_in_set(const struct code *code, struct cel_run *run);          /* a, u.set */
struct cel_value code_index(const struct code *code, struct cel_run *run);           /* a, b */
struct cel_value code_optional_select(const struct code *code, struct cel_run *run); /* a, u.name: a.?b */
struct cel_value code_optional_index(const struct code *code, struct cel_run *run);  /* a, b: a[?b] */
struct cel_value code_dispatch(const struct code *code, struct cel_run *run);        /* args, count, u.dispatch */
struct cel_value code_matches(const struct code *code, struct cel_run *run);         /* a, u.regex */
struct cel_value code_search(const struct code *code, struct cel_run *run);          /* a, u.name, index: SEARCH_… */
struct cel_value code_time_part(const struct code *code, struct cel_run *run);       /* a, index, u.zone */
struct cel_value code_list(const struct code *code, struct cel_run *run);            /* args, count */
struct cel_value code_map(const struct code *code, struct cel_run *run);             /* args, count */
struct cel_value code_loop(const struct code *code, struct cel_run *run);            /* u.loop */
struct cel_value code_bind(const struct code *code, struct cel_run *run);            /* a, b, index */

/* a.b and a[b] whose operands are evaluated and a gave an optional; the result is one too. */
struct cel_value code_select_through(const struct code *code, struct cel_run *run, struct cel_value target);
struct cel_value code_index_through(const struct code *code, struct cel_run *run, const struct cel_value pair[2]);
/* has(a.b) where a gave the optional `target`. */
struct cel_value code_optional_has(const struct code *code, struct cel_run *run, struct cel_value target);
/* What the value at hand says to a logical operator: an error value for anything that is neither bool nor error. */
struct cel_value code_as_bool(struct cel_run *run, struct cel_value value);

#endif
