/* SPDX-License-Identifier: Apache-2.0
 *
 * The states of a lead as a machine: which moves there are (lifecycle.def), what a site asks for before one is made
 * (section `lifecycle`), and what happens when a state has waited long enough.
 *
 *     activity ──► lifecycle_may() ──► lifecycle_move() ──► work_write_lead(), event_moved()
 *                        └── no: the record is rejected with a stable code, nothing changes
 */
#ifndef LR_RULES_LIFECYCLE_H
#define LR_RULES_LIFECYCLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/base/slice.h"
#include "rules/calendar/span.h"
#include "rules/model.h"
#include "rules/state.h"

struct json;
struct work;

enum {
	LIFECYCLE_NEEDS_MAX = 16,    /* members that one transition can require */
	CLIENT_KINDS = 2,            /* industry and region */
	LIFECYCLE_WORDS_MAX = 1000,  /* reasons, stages, departments, subscribers */
};

/* Members that have to be in the activity. */
struct lifecycle_needs {
	size_t count;
	struct slice names[LIFECYCLE_NEEDS_MAX];
};

struct lifecycle_stage {
	struct slice name;
	struct lifecycle_needs needs;
};

struct lifecycle_band {
	struct slice name;
	int64_t from; /* amounts from here up to the next band's */
};

/* A kind of question and who answers it. */
struct lifecycle_department {
	struct slice name, to;
};

/* Who is told of a move, beside everybody who reads the topic. */
struct lifecycle_notice {
	size_t count;
	const struct slice *names;
};

struct lifecycle_words {
	size_t count;
	const struct slice *names;
};

/* Section `lifecycle`. In the generation's arena. */
struct lifecycle_rules {
	struct lifecycle_needs needs[LEAD_STATUSES]; /* by the state that is entered */
	uint64_t approved;                           /* bit n: activities of type n need an approver */
	struct lifecycle_words approvers;            /* who may be that; count 0: anybody else */
	int64_t retention_ms[LEAD_STATUSES];         /* of closed ones: so long they are kept; 0: for good */
	const struct slice *reasons;                 /* the only ones taken; count 0: any */
	size_t reason_count;
	struct lifecycle_words credit_back;          /* reasons of invalid leads whose owner gets his turn back */
	const struct lifecycle_stage *stages; /* count 0: any name will do */
	size_t stage_count;
	const struct lifecycle_band *bands; /* from the lowest `from` up */
	size_t band_count;
	const struct lifecycle_department *departments; /* sorted by name */
	size_t department_count;
	struct lifecycle_notice notices[LEAD_STATUSES];
	struct slice nurture_every; /* a span as written */
	unsigned blank;             /* rules/clients.h: bit per kind of what clients are counted by */
	struct lifecycle_words clients[CLIENT_KINDS]; /* where the firm has some from before, folded and sorted */
};

/* Those of the model, or what holds without the section. */
const struct lifecycle_rules *lifecycle_rules(const struct model *model);

bool lifecycle_is_open(enum lead_status status);
bool lifecycle_is_free(enum lead_status status);
bool lifecycle_can(enum lead_status from, enum lead_status to);
/* The status called `name`, or LEAD_STATUSES. */
enum lead_status lifecycle_find(struct slice name);
/* What a site may ask for before a lead moves, as members of activities; NULL behind the last. */
const char *lifecycle_member(size_t at);

/* What an activity asks for. */
struct move {
	enum lead_status to;
	struct slice reason, stage, next_step, verdict;
	int64_t wake_ms;    /* 0: it waits for no time */
	struct slice every; /* wakes again and again */
};

/* Has the activity what this type of command asks for? false: the record was rejected. Called for each activity before it
 * is decided. */
bool lifecycle_is_approved(struct work *work);
/* Has the activity what the configuration asks for before a lead is `to`? false: the record was rejected. */
bool lifecycle_has_needs(struct work *work, enum lead_status to);
/* May work->state make the move? false: the record was rejected. Call before anything is changed. */
bool lifecycle_may(struct work *work, const struct move *move);
/* A move to nurture that says nothing else is made for `nurture_every`: so long until the first time, if no day is given, and
 * then from one time to the next. */
void lifecycle_fill_nurture(const struct work *work, struct move *move);
/* Makes a move that may be made: state, reason, stage, time of waking. Clocks that hang on the old state stop. The caller
 * writes the lead. */
void lifecycle_move(struct work *work, const struct move *move);

/* Fires what the state waited for, with its event; false: nothing was due. */
bool lifecycle_wake(struct work *work);
/* "nurture", "opportunity_expiry", …: the timer that runs in a state; NULL: none does. */
const char *lifecycle_timer(enum lead_status status);

/* The reward band of an amount, SLICE_NONE without bands. */
struct slice lifecycle_band_of(const struct lifecycle_rules *rules, int64_t amount);
/* A time plus a span as it is written, by the lead's calendar; 0 without a span, or when it cannot be counted. */
int64_t lifecycle_from(const struct work *work, int64_t start_ms, struct slice span);
int64_t lifecycle_after(const struct work *work, struct slice span); /* from now on */

#endif
