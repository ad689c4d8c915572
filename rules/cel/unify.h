/* SPDX-License-Identifier: Apache-2.0
 *
 * Types with unknowns: which type fits where, and what that says about the unknowns.
 *
 * A signature such as (A, list(A)) → bool is taken with fresh unknowns for each call; fitting the arguments into it binds
 * them. What is still unknown at the end is dyn. The rules are those of the CEL specification ("Gradual type checking"):
 * dyn fits everywhere, and of two types that fit each other the more general is kept.
 */
#ifndef LR_RULES_CEL_UNIFY_H
#define LR_RULES_CEL_UNIFY_H

#include "rules/cel/cel.h"

struct unifier {
	struct arena *work;
	const struct cel_type **bound; /* per unknown; NULL: still unknown */
	uint32_t count, capacity;
	struct unify_change *changes; /* newest last, to take back a failed attempt */
	uint32_t change_count, change_capacity;
};

const struct cel_type *unify_fresh(struct unifier *unifier);
/* A copy of a signature's type in which parameter i is fresh[i]; entries are made when first met. */
enum { UNIFY_MAX_PARAMS = 4 };
const struct cel_type *unify_instance(struct unifier *unifier, const struct cel_type *type,
				      const struct cel_type *fresh[UNIFY_MAX_PARAMS]);
/* Can a `from` stand where a `to` is wanted? Binds unknowns on success, leaves everything as it was on failure. */
bool unify_fits(struct unifier *unifier, const struct cel_type *from, const struct cel_type *to);
/* All of them, or nothing is bound. */
bool unify_all_fit(struct unifier *unifier, const struct cel_type *const *from, const struct cel_type *const *to,
		   size_t count);
/* One type for both: the more general of the two, or dyn when they do not fit. `a` may be NULL. */
const struct cel_type *unify_join(struct unifier *unifier, const struct cel_type *a, const struct cel_type *b);
/* With every binding put in. `is_final`: what is still unknown becomes dyn. */
const struct cel_type *unify_resolve(struct unifier *unifier, const struct cel_type *type, bool is_final);
/* The type itself or what it is bound to, one level. */
const struct cel_type *unify_look(const struct unifier *unifier, const struct cel_type *type);

const struct cel_type *type_list_of(struct arena *arena, const struct cel_type *item);
const struct cel_type *type_map_of(struct arena *arena, const struct cel_type *key, const struct cel_type *item);
const struct cel_type *type_with_item(struct arena *arena, enum cel_kind kind, const struct cel_type *item);

#endif
