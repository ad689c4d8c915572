/* SPDX-License-Identifier: Apache-2.0
 *
 * What cleansing did to a lead, so that every decision can show it. Contact data is masked when it is noted.
 */
#ifndef LR_RULES_CHANGES_H
#define LR_RULES_CHANGES_H

#include <stddef.h>

#include "rules/base/slice.h"

enum { CHANGES_MAX = 40 }; /* more are counted */

struct change {
	const char *field;     /* "contact.email" */
	const char *what;      /* "trimmed", "dropped_bad_email", … */
	struct slice from, to; /* empty: nothing to show; masked where the field is contact data */
	const char *by;        /* the plug-in that did it; NULL: cleansing */
};

struct changes {
	struct change items[CHANGES_MAX];
	size_t count, omitted;
};

static inline void changes_add(struct changes *changes, struct change change)
{
	if (changes->count < CHANGES_MAX)
		changes->items[changes->count++] = change;
	else
		changes->omitted++;
}

#endif
