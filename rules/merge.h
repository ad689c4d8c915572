/* SPDX-License-Identifier: Apache-2.0
 *
 * Two leads of one person become one (semantics.md 2.6), and two again.
 *
 *     record ──► open lead            the record is absorbed: a lead of its own id stays, that says where it went
 *     record ──► two open leads       these are merged first; when they have different owners, a dispute goes before it, and
 *                                     the merge follows it by itself
 *     activity.merge, activity.split  a person's order
 *
 * The survivor is the oldest open lead, unless another has progressed further; one that somebody owns goes before one that
 * nobody has. Owner, clocks, score and number are its own.
 * It takes what it lacks: kept fields, the address as one block, the higher intent; and all sources. An absorbed lead
 * keeps its id, its events, its own kept fields and the names of its identity keys, has the state `merged` and points to the survivor;
 * the keys themselves lead to the survivor from then on, so one step always suffices. What each of them offers is written down
 * ("added"), so that after a split the survivor is what it would be without the one that was split off. Contact data, texts (interest.need) and tags (attributes.tags) are kept of
 * neither, so they are not merged here: lead.merged says which ways of contact the record brought, which text is to be
 * appended and which tags are to be united, and lead.captured has them.
 */
#ifndef LR_RULES_MERGE_H
#define LR_RULES_MERGE_H

#include <stdbool.h>

#include "rules/base/slice.h"
#include "rules/state.h"

struct hit;
struct work;

/* ---- what a survivor takes (merge_fields.c) */

/* A lead whose kept fields, source and keys of its company are to be taken. */
struct merge_source {
	struct slice lead_id, source, kept;
	const struct state_list *idents;
	size_t listed; /* keys that the survivor had before: the first ones of its list */
};
/* What `other` has taken in goes under the survivor, and with merge_take_out() it goes back. false: there is no room for all. */
bool merge_take_under(struct lead_state *survivor, const struct lead_state *other);
void merge_take_out(struct lead_state *survivor, const struct lead_state *other);
/* false: it has absorbed as many leads as it can list, or can remember no more of what they offer; nothing was changed. */
bool merge_take(struct work *work, struct lead_state *survivor, const struct merge_source *from);
/* The reverse: the survivor has what it would have had `lead_id` not gone into it. false: it was not absorbed. */
bool merge_give_back(struct work *work, struct lead_state *survivor, struct slice lead_id);
/* Asked before: is it the only one of them that the survivor has this key of a company from? */
bool merge_is_only_one(struct work *work, const struct lead_state *survivor, struct slice lead_id, struct slice name);
/* A person has said what this kept field is: it is the survivor's own, whatever the others offer. */
void merge_own(struct work *work, struct lead_state *survivor, struct slice name);
/* The ids and sources in survivor->from are written as "id/source". */
struct slice merge_from_id(struct slice item);
struct slice merge_from_source(struct slice item);

/* ---- leads (merge.c) */

/* Does `a` survive `b`? */
bool merge_survives(const struct hit *a, const struct hit *b);
/* May the two become one by themselves? They may not when somebody has taken them apart before. */
bool merge_may(const struct hit *a, const struct hit *b);
/* Merges two open leads that a record or an order found to be one: `other` goes into `survivor`. When they have different
 * owners and disputes are configured, one is opened first, unless it was held already. Both are written, with their
 * events; survivor->state is as written. `match` is a code; false: a dispute about either goes on, or the owners stand in the
 * way. */
bool merge_leads(struct work *work, struct hit *survivor, struct hit *other, const char *match);
/* After a decision about work->state: a dispute about what it may be merged with is over, so the two become one now, whoever
 * has this one having both. Where that cannot be any more, it is forgotten. The lead is written; false: nothing was merged. */
bool merge_settled(struct work *work);
/* The record under decision repeats work->state, the lead `into`: leaves a lead of the record's own id that points there.
 * work->state takes what it lacks; the caller links the identity keys before, `listed` being how many there were, and writes it. */
void merge_record(struct work *work, struct slice into, size_t listed);

/* lead.merged and lead.split about the absorbed lead. */
struct merged {
	struct slice lead_id, into;
	const char *match;                    /* "same_email", …, "order", "dispute" */
	const struct lead_state *survivor;
	bool has_record;                      /* the record under decision was absorbed: it is shown */
	bool is_reversible, is_repeated;
};
void event_merged(struct work *work, const struct merged *merged);
void event_split(struct work *work, const struct merged *split);

#endif
