/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside of the core: one batch under decision (struct decider) and one record of it (struct work).
 *
 *     decide.c           the door of rules.h, the driver of a lead's stages, rejects
 *     stage_*.c          the stages of a lead, settle.c what they come to
 *     decide_activity.c  the driver of activities, act_*.c one file per type (activity.def)
 *     own.c              what a change of owner means
 *     pool_choose.c      one of a team, desk.c who is there, backlog.c who waits, pool_drain.c their turn
 *     fire.c, walk.c     timers; what is done with every lead
 *     event.c         outcome -> JSON events, trace.c the part that says why
 */
#ifndef LR_RULES_DECIDE_H
#define LR_RULES_DECIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/base/arena.h"
#include "rules/calendar/calendar_memo.h"
#include "rules/desk.h"
#include "rules/event_origin.h"
#include "rules/match.h"
#include "rules/overlay.h"
#include "rules/prepared.h"
#include "rules/rules.h"
#include "rules/schema.h"
#include "rules/score.h"
#include "rules/stages.h"
#include "rules/state.h"

struct clocks_waiting;
struct hit;
struct ledger_entry;
struct pool_trace;
struct returning;
struct strbuf;

/* Looks on while something is decided, for explanations and coverage; the live path has none. Either call may be NULL. */
struct work;
struct observer {
	/* After each stage of a lead, with all that is known by then. */
	void (*on_stage)(void *ctx, enum stage stage, struct work *work);
	void *ctx;
	/* An item of the model took part; see work_reached(). */
	void (*on_reached)(void *ctx, const void *item);
};

struct decider {
	const struct model *model;
	struct arena *arena;
	const struct observer *observer; /* NULL: nobody looks on */
	struct overlay overlay;
	struct tally *tally; /* figures of this batch; NULL: nothing was counted since they were written */
	struct desk *desk;    /* its own, or one that outlives it */
	struct calendar_memo calendars;
};

enum { CANDIDATES_SHOWN = 10 };

struct candidate {
	size_t rep;
	struct turn position; /* as it was before the choice */
	const char *result;   /* "chosen", "turn_comes_later", … */
};

/* One lead, activity or timer on its way through. Lives on the stack of one call. */
struct work {
	struct decider *decider;
	const struct model *model;
	struct arena *arena;         /* the batch's */
	struct arena scratch;        /* of expressions; freed at the end of the call */
	struct prepared *prepared;   /* NULL for timers */
	const struct activity *activity; /* NULL but for activities */
	bool is_repeated;            /* the activity was taken before: nothing may change */
	int64_t now_ms;
	struct decision *ret;
	struct event *events;        /* what ret->events will point to */
	size_t event_room;
	struct slice cause;
	size_t stages_run;

	struct slice lead_id;
	struct returning *returning; /* the person had a lead before; NULL: not */
	const struct hit *other;     /* duplicates: a second lead of the person, which stays beside it; NULL: none */
	const char *hit;             /* duplicates: "same_event", … */
	bool is_unknown[IDENTITY_KINDS]; /* keys that were looked at and have no lead that counts */
	bool is_live[IDENTITY_KINDS];    /* … and have one; a merge may change that */
	bool is_barred[IDENTITY_KINDS];  /* keys that carry a mark instead of a lead */

	struct lead *kept_lead; /* what expressions see of a lead whose record is gone; made at first use */
	struct schema_territories territories;
	struct work_answers answers; /* that no event has told yet */
	struct clock_hours hours;    /* of the owner and team below; without a memo: not looked up yet */
	struct slice hours_owner, hours_team;
	struct clocks_waiting *waiting; /* clocks whose breach waits to be heard; NULL: none, or not looked at */
	const struct cel_entry *counted; /* facts beside those of the prepared record */
	size_t counted_count;
	struct cel_value slots[SCHEMA_SLOTS];
	struct score score;
	struct match match;
	const struct owner_match *owner_match; /* the company's keys were looked at; NULL: no such match */
	const char *requested;       /* what became of requested_owner; NULL: none was given */
	const char *reason;          /* of the outcome: "first", "requested", "grade_stops", … */
	size_t team, rep;            /* SIZE_MAX: none */
	size_t candidate_count;
	size_t candidates_total, active_total;
	bool was_ring_malformed;
	struct pool_trace *pool;     /* NULL: no pool was asked */
	struct ledger_entry *ledger; /* turns that this decision booked */
	size_t ledger_count;
	int64_t familiar_ms;         /* of the lead that made state.familiar */
	size_t named;                /* 1 + the rep that the route names; 0: none */
	enum block named_block;      /* why he did not get it */
	int64_t units;               /* that the lead will count for who gets it; 0: what it counts already */
	bool is_roster_silent;       /* a pool was asked of whose members none was heard of in time (rules/degraded.h) */
	bool is_aside;               /* another lead inside a decision: its events are named after it, too */

	/* The large ones stand at the end: no more of them is cleared than is looked at. */
	struct lead_state state;     /* of the lead that the outcome is about */
	struct state_list brought;   /* names of keys that point to a lead because of this record */
	struct candidate candidates[CANDIDATES_SHOWN];
};

void work_begin(struct work *work, struct decider *decider, struct prepared *prepared, int64_t now_ms,
                struct decision *ret);
void work_end(struct work *work);
/* Is this about a lead that has just arrived, with all its fields? */
bool work_has_lead(const struct work *work);
/* Another lead inside the decision: its events go into the same one, and nothing else of it. The caller fills aside->state.
 * Nothing may be added to `work` until the end. */
void work_aside_begin(struct work *aside, const struct work *work, struct slice lead_id);
void work_aside_end(struct work *aside, struct work *work);
/* An item of the configuration took part in the decision. Items are known by their address in the model: the program of a
 * condition of clocks or acts that held, the plan of a clock that began a cycle, lanes and sizes of a pool, what it does when
 * nobody is there, the list of a preference table, the policy of an owner match. Events name the others. */
static inline void work_reached(const struct work *work, const void *item)
{
	const struct observer *observer = work->decider->observer;
	if (observer != NULL && observer->on_reached != NULL)
		observer->on_reached(observer->ctx, item);
}
/* Room for one more event at least. */
void work_more_events(struct work *work);
/* Reads the lead's state, with score and grade as they are now: 1 found, 0 absent, -1 malformed. */
int work_read_lead(const struct work *work, struct slice lead_id, struct lead_state *ret_state);
/* Writes work->state under `lead_id`. */
void work_write_lead(struct work *work, struct slice lead_id);
/* Copies what the decision names out of work->state. */
void work_name(struct work *work);

/* Keys of this record point to the lead from now on, as long as its list has room. Always together with a write of the
 * lead: a reader that finds a key must find its lead in the same state. `with_event`: also the event's own key. */
void work_link_idents(struct work *work, struct slice lead_id, bool with_event);

/* The key of that name, without "ident/", points to the lead from now on, unless it has just become a mark (rules/barred.h). */
void work_point_ident(struct work *work, struct slice name, struct slice lead_id);

/* The keys that point to work->state go, or stay as marks that name no lead; marks of events always stay. Returns how many
 * marks there are now. The caller writes or removes the lead. */
enum idents_fate { IDENTS_GONE, IDENTS_BARRED };
size_t work_forget_idents(struct work *work, enum idents_fate fate);
/* No record makes a lead of this id any more: ids of events and ownership versions would begin anew. */
void work_bar_lead_id(struct work *work);
/* The key of that name ("<key id>.<version>.<kind>.<mac>") names no lead from now on: whoever has it is routed to nobody. */
void work_bar_ident(struct work *work, struct slice name);

/* ---- stages.h: one function per stage, in stage_<name>.c or settle.c */

#define X(name) enum step stage_##name(struct work *work);
DECIDE_STAGES(X)
#undef X

/* The lead is kept and belongs to nobody, because of `reason` (a code). Returns STEP_DONE. */
enum step settle_unassigned(struct work *work, const char *reason);
/* The same, in a state of its own; what the state waits for is set already. */
enum step settle_kept(struct work *work, enum lead_status status, const char *reason);

/* Writes what changed at the desk. Called once, at the end of a batch. */
void pool_finish(struct decider *decider);

/* ---- everything but leads */

void decide_reject(struct work *work, const struct record *record, enum err_code code, const char *where,
                   const char *text);
void decide_activity(struct work *work);
#define ACTIVITY(id, type, about, reader, decider) void decider(struct work *work);
#include "rules/activity.def"
/* What is due for a lead or for a memory key, behind pool_begin(), which they call once the cause is known. Of a lead work->lead_id
 * is set. */
void decide_timers(struct work *work, struct slice lead_id);
void decide_memory(struct work *work, struct slice key);
/* walk.c; for a visit work->lead_id is set */
void decide_begin(struct work *work);
void decide_visit(struct work *work, struct slice key);
void decide_walked(struct work *work, struct slice key);

#endif
