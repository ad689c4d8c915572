/* SPDX-License-Identifier: Apache-2.0
 *
 * Ordered routes, the first that matches wins. "Could not tell" is not a match, and the trace says so.
 */
#ifndef LR_RULES_MATCH_H
#define LR_RULES_MATCH_H

#include <stddef.h>
#include <stdint.h>

#include "rules/cel/cel.h"

struct arena;
struct lead;
struct model;
struct route;

enum match_result {
	MATCH_YES,
	MATCH_NO,
	MATCH_ERROR,   /* the condition could not be evaluated */
	MATCH_NO_TEAM, /* the condition holds, but the territory names no team for this place */
};

/* "yes", "no", "error", "no_team". */
const char *match_result_name(enum match_result result);

enum { MATCH_TRIED_MAX = 10 }; /* routes shown in a trace: the last ones tried, the taken one among them */

struct match_try {
	const struct route *route;
	enum match_result result;
	struct slice clause;    /* MATCH_NO, MATCH_ERROR: the first clause that was not true, as written; may be empty */
	const char *error;      /* MATCH_ERROR: what evaluation said */
	struct slice area;      /* of a route by territory: the area found, may be empty */
};

struct match {
	const struct route *route; /* NULL: none matched */
	size_t team;               /* index into model.teams */
	struct match_try tried[MATCH_TRIED_MAX];
	size_t tried_count;
	size_t not_shown;          /* routes tried before the first one shown */
};

/* What one route says by itself, whichever come before it. For explanations. */
struct match_try match_try_route(const struct model *model, const struct lead *lead, const struct cel_value *slots,
                                 struct arena *scratch, const struct route *route);

void match_routes(const struct model *model, const struct lead *lead, const struct cel_value *slots,
                  struct arena *scratch, struct match *ret_match);

#endif
