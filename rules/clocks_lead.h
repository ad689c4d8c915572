/* SPDX-License-Identifier: Apache-2.0
 *
 * The clocks of a lead: which ones run, by which plan and calendar, and what an event means to them.
 *
 *     something happened ─► clocks_happened()   conditions say stop, pause, start for each clock of the configuration
 *     somebody else owns it ─► clocks_on_owner()
 *     time passed ─► clocks_fire()              levels, earliest first, each with its event and action
 *
 * Due times are computed anew, by the configuration of the decision, whenever a lead is looked at, and before anything is
 * fired: a level is never told by a calendar or plan that is not in force any more. A due time that moved without any
 * event of the clock is told as followup.rescheduled.
 *
 * A first_response line that holds for a lead beats the first_response of its grade.
 */
#ifndef LR_RULES_CLOCKS_LEAD_H
#define LR_RULES_CLOCKS_LEAD_H

#include <stdint.h>

#include "rules/base/slice.h"
#include "rules/clocks.h"

struct work;
struct zone;

/* What can happen to a lead. Each is a bool of the same name in start, stop and pause conditions. */
#define CLOCK_FACTS(X)                                                          \
	X(CAPTURED, captured)     /* it was taken in */                         \
	X(ASSIGNED, assigned)     /* it has an owner whom it did not have */    \
	X(UNASSIGNED, unassigned) /* it has lost its owner */                   \
	X(TOUCHED, touched)       /* owner or collaborator acted on it */       \
	X(REACHED, reached)       /* … and reached the customer */              \
	X(PROGRESSED, progressed) /* its state moved on, or the customer acted */ \
	X(NURTURED, nurtured)     /* put off until later */                     \
	X(CONVERTED, converted)   /* became an opportunity */                   \
	X(CLOSED, closed)         /* won, lost or invalid: nothing is left to do */ \
	X(REOPENED, reopened)     /* taken up again */                          \
	X(REPORTED, reported)     /* the report on it was handed in */          \
	X(NEED_CHANGED, need_changed) /* the record of the act says another intent or need */

enum clock_fact_bit {
#define X(id, name) CLOCK_FACT_BIT_##id,
	CLOCK_FACTS(X)
#undef X
	CLOCK_FACT_BITS
};
enum clock_fact {
#define X(id, name) CLOCK_FACT_##id = 1 << CLOCK_FACT_BIT_##id,
	CLOCK_FACTS(X)
#undef X
};

/* Texts that conditions may look at, beside lead, grade, score and so on. The first three are known at any time. */
#define CLOCK_TEXTS(X) X(status) X(owner) X(team) X(method) X(reaction) X(attitude) X(reason)
enum clock_text {
#define X(name) CLOCK_TEXT_##name,
	CLOCK_TEXTS(X)
#undef X
	CLOCK_TEXTS_ALL
};

struct happened {
	unsigned facts;     /* of enum clock_fact */
	int64_t at_ms;      /* when, not when it was heard of */
	int64_t date_ms;    /* next_follow_up_at, or when an opportunity should close; 0: none */
	struct slice method, reaction, attitude, reason;
};

/* When it happened what work->activity tells of: what the app says, but neither in the future nor before the lead was given
 * to its owner. Now, where there is no activity. */
int64_t clocks_happened_at(const struct work *work);
/* work->state is as it is after the event. The caller writes it. */
void clocks_happened(struct work *work, const struct happened *happened);
/* Before an activity changes work->state: notes which breaches wait to be heard, and by which plan, so that a change of the lead
 * that changes the plan does not drop them. */
void clocks_note_waiting(struct work *work);
/* Before work->state is changed: tells the breaches of those clocks that `facts` will end and that wait to be heard. */
void clocks_before(struct work *work, unsigned facts, int64_t at_ms);
/* The same before rules/own.c gives the lead to somebody else, or takes it. */
void clocks_before_owner(struct work *work, bool is_given);
/* The clock of this kind that runs, whatever its name; NULL: none. */
const struct clock *clocks_running(const struct work *work, enum clock_kind kind);
/* work->state has another owner, or none, since now. Called by rules/own.c and nobody else. */
void clocks_on_owner(struct work *work);
/* Whose local time the owner of the lead lives by: that of the calendar that is nearest to him. NULL: there is none. */
const struct zone *clocks_zone(struct work *work);
/* "timer:<lead>:<timer>:<cycle>" of the clock that is due first: the cause of all that is done at that moment. */
struct slice clocks_cause(struct work *work);
/* Tells what is due at work->now_ms and does what the levels ask for. Returns how many levels or new due times were told. The
 * caller writes the state. */
size_t clocks_fire(struct work *work);
/* Computes every open due time anew; tells those that moved. Returns how many. */
size_t clocks_plan_again(struct work *work);

/* The plan and the calendars that a clock of work->state has now. False: none; `storage` may be pointed to. */
struct clock_storage {
	struct clock_plan plan;
	struct clock_level levels[2];
};
bool clocks_plan_of(struct work *work, struct slice name, struct clock_storage *storage,
                    const struct clock_plan **ret_plan, struct clock_hours *ret_hours);

struct arena;
struct cel_env;
/* What `when` of a clock may name (no facts), and what start, stop and pause may. Both share the types of `env`. */
const struct cel_env *clocks_when_env(const struct cel_env *env, struct arena *arena);
const struct cel_env *clocks_event_env(const struct cel_env *env, struct arena *arena);
/* Repeat of a kind, unless the line says otherwise. */
enum clock_repeat clocks_usual_repeat(enum clock_kind kind);

#endif
