/* SPDX-License-Identifier: Apache-2.0
 *
 * Identity keys at work: where a key of the record leads, and which lead it points to from now on. For the stage dedup and
 * whoever else moves leads together or apart.
 */
#ifndef LR_RULES_IDENTS_H
#define LR_RULES_IDENTS_H

#include <stdbool.h>

#include "rules/identity.h"
#include "rules/state.h"

struct work;

/* A lead that this one may repeat. */
struct hit {
	const char *name; /* "same_email", … */
	struct slice lead_id;
	struct lead_state state;
};

/* Where a key leads. */
enum sight {
	SIGHT_NONE, /* nowhere, or to a mark (then work->is_barred is set) */
	SIGHT_LIVE, /* to a lead that counts: any for exact keys, an open one inside the key's window for the others */
	SIGHT_PAST, /* to one that was */
	SIGHT_BAD,  /* to a value that is not in our form */
};

enum sight ident_look(struct work *work, enum identity_kind kind, struct hit *ret_hit);
/* The latest lead of the company, by its domain or else by its name. Says nothing about the person. */
bool ident_company(struct work *work, struct hit *ret_hit);
/* The same event or lead id means the same lead, however old it is. */
bool ident_is_exact(enum identity_kind kind);
/* The kind in "<key id>.<version>.<kind>.<mac>", as identity_letter() has it; NUL when there is none. */
char ident_kind_letter(struct slice name);
/* Is it a key of a company, which several leads may have? */
bool ident_is_account(struct slice name);
/* Is it among the first `count` of the list? */
bool ident_is_listed(const struct state_list *list, size_t count, struct slice name);
/* "same_email", … */
const char *ident_match_name(enum identity_kind kind);

#endif
