/* SPDX-License-Identifier: Apache-2.0
 *
 * Binding unknowns, with a list of changes so that a failed attempt can be taken back.
 */
#include "rules/cel/unify.h"

/* Unknowns are parameters with an index from here on; below are the A, B, C of signatures. */
enum { FIRST_UNKNOWN = 16 };

struct unify_change {
	uint32_t unknown;
	const struct cel_type *before;
};

static void *grow(struct arena *arena, const void *old, uint32_t count, uint32_t *capacity, size_t size)
{
	*capacity = *capacity ? *capacity * 2 : 16;
	void *items = arena_array(arena, *capacity, size);
	if (count != 0)
		memcpy(items, old, count * size);
	return items;
}

const struct cel_type *type_with_item(struct arena *arena, enum cel_kind kind, const struct cel_type *item)
{
	struct cel_type *type = arena_alloc(arena, sizeof *type);
	type->kind = kind;
	type->item = item;
	return type;
}

const struct cel_type *type_list_of(struct arena *arena, const struct cel_type *item)
{
	return type_with_item(arena, CEL_LIST, item);
}

const struct cel_type *type_map_of(struct arena *arena, const struct cel_type *key, const struct cel_type *item)
{
	struct cel_type *type = arena_alloc(arena, sizeof *type);
	*type = (struct cel_type){.kind = CEL_MAP, .key = key, .item = item};
	return type;
}

const struct cel_type *unify_fresh(struct unifier *unifier)
{
	if (unifier->count == unifier->capacity)
		unifier->bound = grow(unifier->work, unifier->bound, unifier->count, &unifier->capacity,
				      sizeof *unifier->bound);
	struct cel_type *type = arena_alloc(unifier->work, sizeof *type);
	type->kind = CEL_PARAM;
	type->index = FIRST_UNKNOWN + unifier->count++;
	return type;
}

static bool has_parts(const struct cel_type *type)
{
	return type->kind == CEL_LIST || type->kind == CEL_MAP || type->kind == CEL_OPTIONAL || type->kind == CEL_TYPE;
}

const struct cel_type *unify_instance(struct unifier *unifier, const struct cel_type *type,
				      const struct cel_type *fresh[UNIFY_MAX_PARAMS])
{
	if (type->kind == CEL_PARAM) {
		if (fresh[type->index] == NULL)
			fresh[type->index] = unify_fresh(unifier);
		return fresh[type->index];
	}
	if (!has_parts(type))
		return type;
	struct cel_type *copy = arena_alloc(unifier->work, sizeof *copy);
	*copy = *type;
	copy->item = unify_instance(unifier, type->item, fresh);
	if (type->key != NULL)
		copy->key = unify_instance(unifier, type->key, fresh);
	return copy;
}

const struct cel_type *unify_look(const struct unifier *unifier, const struct cel_type *type)
{
	while (type->kind == CEL_PARAM && type->index >= FIRST_UNKNOWN &&
	       unifier->bound[type->index - FIRST_UNKNOWN] != NULL)
		type = unifier->bound[type->index - FIRST_UNKNOWN];
	return type;
}

static void bind(struct unifier *unifier, const struct cel_type *unknown, const struct cel_type *type)
{
	if (unifier->change_count == unifier->change_capacity)
		unifier->changes = grow(unifier->work, unifier->changes, unifier->change_count,
					&unifier->change_capacity, sizeof *unifier->changes);
	uint32_t index = unknown->index - FIRST_UNKNOWN;
	unifier->changes[unifier->change_count++] = (struct unify_change){index, unifier->bound[index]};
	unifier->bound[index] = type;
}

static void take_back(struct unifier *unifier, uint32_t mark)
{
	while (unifier->change_count > mark) {
		const struct unify_change *change = &unifier->changes[--unifier->change_count];
		unifier->bound[change->unknown] = change->before;
	}
}

/* Does `type` contain `unknown`? Binding it then would make a type without end. */
static bool contains(const struct unifier *unifier, const struct cel_type *type, const struct cel_type *unknown)
{
	type = unify_look(unifier, type);
	if (type->kind == CEL_PARAM)
		return type->index == unknown->index;
	if (!has_parts(type))
		return false;
	return contains(unifier, type->item, unknown) ||
	       (type->key != NULL && contains(unifier, type->key, unknown));
}

static bool is_unknown(const struct cel_type *type)
{
	return type->kind == CEL_PARAM;
}

/* Is `a` at least as general as `b`? */
static bool is_more_general(const struct unifier *unifier, const struct cel_type *a, const struct cel_type *b)
{
	a = unify_look(unifier, a);
	b = unify_look(unifier, b);
	if (a->kind == CEL_DYN || is_unknown(a))
		return true;
	if (b->kind == CEL_DYN || is_unknown(b) || a->kind != b->kind)
		return false;
	if (a->kind == CEL_TYPE)
		return true;
	if (!has_parts(a))
		return true;
	return is_more_general(unifier, a->item, b->item) &&
	       (a->key == NULL || is_more_general(unifier, a->key, b->key));
}

/* null may stand where an object, a timestamp or a duration is expected. */
static bool takes_null(const struct cel_type *type)
{
	return type->kind == CEL_OBJECT || type->kind == CEL_TIMESTAMP || type->kind == CEL_DURATION ||
	       type->kind == CEL_OPTIONAL;
}

static bool fits(struct unifier *unifier, const struct cel_type *from, const struct cel_type *to);

/* `unknown` was bound to `known`; now `type` has to fit as well. The binding moves to the more general one. */
static bool fits_known(struct unifier *unifier, const struct cel_type *type, const struct cel_type *unknown,
		       const struct cel_type *known)
{
	if (!fits(unifier, type, known) && !(type->kind != CEL_NULL && takes_null(type) && known->kind == CEL_NULL))
		return false;
	bool is_wider = is_more_general(unifier, type, known) || known->kind == CEL_NULL;
	if (is_wider && !contains(unifier, type, unknown))
		bind(unifier, unknown, type);
	return true;
}

/* The last unknown in a chain of bindings, and what that is bound to (NULL: nothing). */
static const struct cel_type *known_of(const struct unifier *unifier, const struct cel_type **unknown)
{
	for (;;) {
		const struct cel_type *next = unifier->bound[(*unknown)->index - FIRST_UNKNOWN];
		if (next == NULL || next->kind != CEL_PARAM)
			return next;
		*unknown = next;
	}
}

static bool fits_unknown(struct unifier *unifier, const struct cel_type *type, const struct cel_type *unknown)
{
	const struct cel_type *known = known_of(unifier, &unknown);
	type = unify_look(unifier, type);
	if (type->kind == CEL_PARAM && type->index == unknown->index)
		return true;
	if (known != NULL)
		return fits_known(unifier, type, unknown, known);
	if (contains(unifier, type, unknown))
		return false;
	bind(unifier, unknown, type);
	return true;
}

static bool fits(struct unifier *unifier, const struct cel_type *from, const struct cel_type *to)
{
	if (is_unknown(to))
		return fits_unknown(unifier, from, to);
	if (is_unknown(from))
		return fits_unknown(unifier, to, from);
	if (from->kind == CEL_DYN || to->kind == CEL_DYN)
		return true;
	if (from->kind == CEL_NULL && takes_null(to))
		return true;
	if (from->kind != to->kind)
		return false;
	if (from->kind == CEL_OBJECT)
		return from->object == to->object;
	if (!has_parts(from) || from->kind == CEL_TYPE)
		return true;
	return fits(unifier, from->item, to->item) && (from->key == NULL || fits(unifier, from->key, to->key));
}

bool unify_fits(struct unifier *unifier, const struct cel_type *from, const struct cel_type *to)
{
	return unify_all_fit(unifier, &from, &to, 1);
}

bool unify_all_fit(struct unifier *unifier, const struct cel_type *const *from, const struct cel_type *const *to,
		   size_t count)
{
	uint32_t mark = unifier->change_count;
	for (size_t i = 0; i < count; i++)
		if (!fits(unifier, from[i], to[i])) {
			take_back(unifier, mark);
			return false;
		}
	return true;
}

const struct cel_type *unify_join(struct unifier *unifier, const struct cel_type *a, const struct cel_type *b)
{
	if (a == NULL)
		return b;
	if (unify_fits(unifier, a, b))
		return is_more_general(unifier, a, b) ? a : b;
	if (unify_fits(unifier, b, a))
		return a;
	return &cel_type_dyn;
}

const struct cel_type *unify_resolve(struct unifier *unifier, const struct cel_type *type, bool is_final)
{
	type = unify_look(unifier, type);
	if (is_unknown(type))
		return is_final ? &cel_type_dyn : type;
	if (!has_parts(type))
		return type;
	struct cel_type *copy = arena_alloc(unifier->work, sizeof *copy);
	*copy = *type;
	copy->item = unify_resolve(unifier, type->item, is_final);
	if (type->key != NULL)
		copy->key = unify_resolve(unifier, type->key, is_final);
	return copy;
}
