/* SPDX-License-Identifier: Apache-2.0
 *
 * Industries and regions that are still blank for the firm (S4-PYRAMID): those from which no lead has become a client yet.
 * How many did is counted in mem/clients/<what>/<value>, by what lifecycle.blank names; expressions see
 *
 *     facts["blank.industry"], facts["blank.region"]     true while the count is 0; a lead without the field is not blank
 *
 * Clients from before leadrouter are not among the counts: where the firm has them is said in the configuration.
 */
#ifndef LR_RULES_CLIENTS_H
#define LR_RULES_CLIENTS_H

#include <stdbool.h>
#include <stddef.h>

struct cel_entry;
struct lifecycle_rules;
struct model_builder;
struct node;
struct work;

/* "industry", "region": what may be counted, CLIENT_KINDS of them. */
extern const char *const clients_kinds[];
/* The order of struct slice in which the names of those known before are kept, for qsort() and bsearch(). */
int clients_by_name(const void *a, const void *b);

/* The facts of the lead that is taken in: at most CLIENT_KINDS entries. */
size_t clients_facts(struct work *work, struct cel_entry *ret_entries);
/* work->state has become a client's (change 1), or is none any more (-1). */
void clients_count(struct work *work, int change);
/* `lifecycle.blank`. */
void clients_read(struct model_builder *builder, const struct node *node, struct lifecycle_rules *rules);

#endif
