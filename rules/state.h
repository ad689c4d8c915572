/* SPDX-License-Identifier: Apache-2.0
 *
 * What is remembered between decisions: the names and codecs of state keys and values.
 *
 *     lead/<lead id>                        -> who owns it, why, and its clock          (sales apps may read it)
 *     ident/<key id>.<version>.<kind>.<mac> -> "<ms of first sight> <lead id>"          (rules/identity.h makes the keys)
 *                                              "<ms> !" bars it: nobody is to be contacted under it
 *     ring/<team id>, mem/seat/<…>          -> a rotation (rules/ring.h)
 *     mem/<kind>/<…>                        -> what else the shard's one writer keeps in its memory; a value that can be due
 *                                              is an object whose first member is "due", in ms
 *
 * A lead's value is compact JSON without contact data. Members that have their default are left out:
 *
 *     {"ver":1,"state":"assigned","owner":"ana","team":"emea","rule":"high-dach","score":55,"grade":"A",
 *      "at":1763762715026,"deadline":1763769915026,"remind":1763768115026,"idents":["k1.1.e.…"],"source":"web"}
 *
 *     ver       ownership version: rises by one with each change of owner
 *     state     assigned | unassigned | in_progress | … (rules/lifecycle.def)
 *     owner, team, rule   ids; absent while nobody owns it
 *     score, grade, source, why (reason code of the state: of an unassigned, lost, invalid … lead)
 *     at        when it was taken in; the dedup window counts from here
 *     deadline, remind    of the first response; absent when no clock runs
 *     touched   when the owner first acted: the clock has stopped
 *     cycle     of the clock (default 1), level: the last one told (1 reminder, 2 overdue, see rules/clocks.h; default 0)
 *     first     more of that clock, when it is more than that: [start, next, stop, pause, shift, moves], zeros at the end left out
 *     clocks    the others by name: [cycle, level, start, due, next, stop, pause, shift, wanted, count, moves], the same
 *     dups      how often the same lead came again (default 0)
 *     fit, interest, interest_at   axes of the score where there are two: points, thousandths of a point, for when
 *     far       1: it has been an opportunity, 2: an order (default 0)
 *     reached, taught   what it was counted as where likelihood is learned
 *     lesson    the rows that it taught there, as a flat object: {"source":"list","stage":"assigned,in_progress"}
 *     idents    names of the identity keys that point here, without "ident/"
 *     ceded     those of its person that a newer lead has taken since (rules/barred.h)
 *     recent    marks of the latest activity events, so that a repeat is taken once
 *     size, lane, free   units it counts (default 1), lane of the rotation, 1: it cost its owner no turn,
 *               2: that was given back because the lead was none
 *     last      when its owner acted last, if not only once; where owners are matched (rules/owner_match.h)
 *     appraised   a person has set its grade (1), or grade and score (3), so nothing else changes them; odds: how likely
 *               he finds that it is won, in per cent
 *     turn      in a rotation by credit: who took part in that turn (rules/ring.h)
 *     given     when its owner got it, if that was later than `at`
 *     wait, step   it waits for one of its team, until then (0: without end); the outcome that follows
 *     familiar  the rep who had the person's last lead      closed   1: it counts in nobody's load
 *     kept      fields of the lead that later decisions read (rules/kept.h)
 *     wake      when the state is looked at again: nurture, shelved, opportunity, deferred, held, pending
 *     every     span after which it wakes once more
 *     wakes     how often it woke (default 0): part of the ids of these events
 *     stage     of a lead that is worked on, as the site names it
 *     no        the number that people call it by
 *     ref       who referred it: id of a rep, or "!" and the record that names him
 *     from      leads that were merged into it, as "id/source"; added: what they offer for `kept` (rules/merge_fields.c)
 *     into, was of a merged lead: where it went, and the state that it had; was also of one that waits or is pending and that
 *               rests (rules/rest.h), with the reason of that state (was_why), and its day (later; every is its span)
 *     contest   the lead that it may be merged with once it is decided who owns it
 *     apart     leads that are not the same person's, because somebody said so
 *     common    1: other leads have had the keys of its company, too
 *     cleared   1: a person found it good, whatever its grade says; or its interest has faded, and only that made it
 *               one that stops
 *     blocked   it is routed to nobody until a person clears it: 1 because of a grade that stops, its own or that of an
 *               earlier lead, 2 because the person is not to be contacted
 *     prev, left    who owned it last, and since when he does not; cool: who did before him, as "rep/since" (rules/cooling.h)
 *     tried     who was asked in this round: since it was last taken up, or ordered to somebody; with twelve it ends
 *     with      who helps the owner, as "rep/role"
 *     exempt    until when it is not taken back; excused: what fell due meanwhile, 1 a release, 2 that somebody else gets it
 *     sheltered since when its owner has been protected so, in all
 *     cand, asked   who is to get it, and who has to consent or decide
 *     tally     for whom it is counted among what he holds
 *     seat      for whom a place is kept while he waits for consent (rules/seat.h)
 *     back      the breach that took it from somebody: due and start of the clock, and who he was; '/', the one before
 *     dispute, claims   until when claims are collected; one each, as rules/dispute.h writes them
 *     ended, purge   since when it is closed, and when it is erased for that (rules/retention.h)
 *     acted     who followed it up and when first, as "rep/ms", once that was not its owner alone (rules/followed.h)
 *
 * Times are ms since 1970. Change procedure: add members to LEAD_FIELDS at the end with a
 * default that means "as before"; older versions refuse what they do not know (ERR_STATE_MALFORMED), so roll out readers
 * first.
 */
#ifndef LR_RULES_STATE_H
#define LR_RULES_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/base/err.h"
#include "rules/base/slice.h"
#include "rules/clocks.h"

struct arena;
struct strbuf;

enum {
	STATE_IDENTS_MAX = 16,
	STATE_RECENT_MAX = 4,
	STATE_TRIED_MAX = 12,
	STATE_HELPERS_MAX = 8,
	STATE_CLAIMS_MAX = 6,
	STATE_COOLING_MAX = 4,
	STATE_ACTED_MAX = 6,
	STATE_FROM_MAX = 12,
	STATE_ADDED_BYTES_MAX = 2048,              /* of what those that were merged into a lead offer */
	STATE_APART_MAX = 4,
	STATE_CEDED_MAX = 8,
	STATE_EXACT_MAX = 6,                       /* idents of events and ids: the others are for those of the person */
	STATE_VALUE_BYTES_MAX = 4096,              /* of a lead's value; ours stay far below */
};

/* What they mean and which moves there are: rules/lifecycle.def. */
enum lead_status {
#define STATE(id, name, flags, moves) LEAD_##id,
#include "rules/lifecycle.def"
	LEAD_STATUSES
};

/* "assigned", … */
const char *lead_status_name(enum lead_status status);

/* The turn was given back because the lead was none: it costs one again when it is opened again. */
enum { FREE_WHILE_CLOSED = 2 };

/* Why nobody gets it, until a person clears it. */
enum bar { BAR_NONE, BAR_GRADE, BAR_CONTACT };

/* What fell due while the lead was protected. */
enum excuse { EXCUSE_NONE, EXCUSE_RELEASE, EXCUSE_PASS_ON };

/* The reason code of a lead that is barred so: "stopped_before", "do_not_contact"; none: empty. */
struct slice bar_word(int64_t bar);

struct state_list {
	size_t count;
	struct slice items[STATE_IDENTS_MAX];
};

struct lead_state {
	int64_t version;
	enum lead_status status;
	struct slice owner, team, rule, grade, source, why;
	int64_t reached;     /* rules/likelihood.h: index of the last stage that it was in */
	int64_t furthest;    /* how far it ever came: 1 opportunity, 2 order */
	struct slice taught; /* what it taught: 'w' or 'l' and the group; empty: nothing yet */
	int64_t score;
	int64_t fit, interest_milli, interest_ms; /* rules/interest.h: axes, and the time that the interest holds for */
	struct slice told_grade; /* not stored: grade and score as they were when the lead was written last; empty: as they are */
	int64_t told_score;
	int64_t at_ms, touched_ms; /* 0: none */
	struct clock first_response;
	struct clock *clocks; /* the others; in an arena, with room for CLOCK_NAMES_MAX unless there are none (NULL) */
	size_t clock_count;
	int64_t remind_ms;    /* of the stored form only */
	int64_t duplicates;
	int64_t size;             /* units; 0: one */
	int64_t is_free, is_closed; /* 0 or 1, is_free also FREE_WHILE_CLOSED */
	int64_t given_ms;         /* 0: at at_ms */
	int64_t wait_ms, step;
	struct slice lane, familiar;
	struct slice kept;        /* a JSON object as written; may be empty */
	int64_t wake_ms;          /* 0: the state waits for no time */
	int64_t wakes;
	struct slice every, stage;
	int64_t cleared;          /* 0 or 1 */
	struct slice previous;
	int64_t left_ms;
	int64_t exempt_ms, sheltered_ms;
	int64_t excused;          /* an enum excuse */
	struct slice candidate, asked, tally, seat;
	int64_t dispute_ms;
	struct slice back;        /* rules/clocks_act.c: from whom a breach took it, and when he should have acted */
	struct slice number, referral;
	struct slice added;       /* a JSON object as written; may be empty */
	struct slice into, was, contest;
	struct slice was_why;
	int64_t later_ms;         /* 0: none */
	int64_t ended_ms, purge_ms;
	int64_t is_common;        /* 0 or 1 */
	struct slice lesson;      /* a JSON object as written; may be empty */
	int64_t bar;              /* an enum bar */
	int64_t last_ms;          /* when its owner acted last, if that was after his first act and somebody asks; 0: not */
	int64_t appraised;        /* bits of rules/appraisal.h: what a person has set */
	int64_t percent;          /* how likely a person finds it that the lead is won; 0: nobody has said */
	struct slice turn;        /* rules/ring.h: who took part in the turn that it cost, where that is by credit */

	/* Lists stand at the end: of one that is empty only the count means something, see state_clear(). */
	struct state_list idents;
	struct state_list recent; /* at most STATE_RECENT_MAX */
	struct state_list cooling; /* at most STATE_COOLING_MAX */
	struct state_list tried, helpers;
	struct state_list claims;
	struct state_list acted;  /* at most STATE_ACTED_MAX */
	struct state_list from;   /* at most STATE_FROM_MAX */
	struct state_list under;  /* what those in `from` had taken in before; at most STATE_FROM_MAX */
	struct state_list ceded;  /* at most STATE_CEDED_MAX */
	struct state_list apart;  /* at most STATE_APART_MAX */
};

/* All zero, but for the items of the lists: they are most of its bytes. */
void state_clear(struct lead_state *lead);
void state_put_lead(struct strbuf *out, const struct lead_state *lead);
/* Texts are borrowed from `value` where it holds no escapes, else they lie in `arena`. On foreign bytes -1 with *err, and
 * *ret_lead is clear. */
int state_get_lead(struct slice value, struct arena *arena, struct lead_state *ret_lead, struct err *err);
/* When its owner got it. */
int64_t state_given_ms(const struct lead_state *lead);
/* When somebody last acted on it, or its owner got it. */
int64_t state_last_ms(const struct lead_state *lead);
/* When the lead is next due: the earliest level of any clock, or its time of waking; 0: never. */
int64_t state_next_due(const struct lead_state *lead);

/* The clock of this name, NULL when the lead has none. With an arena one is added, unless CLOCK_NAMES_MAX are there. */
struct clock *state_clock(struct lead_state *lead, struct slice name, struct arena *arena);

/* Without a lead id ("<ms> !") the key is barred: the person must not be contacted, or the event's lead was erased. */
struct ident_state {
	int64_t at_ms;
	struct slice lead_id; /* borrowed */
	bool is_barred;
};

void state_put_ident(struct strbuf *out, const struct ident_state *ident);
int state_get_ident(struct slice value, struct ident_state *ret_ident);

/* "lead/<id>", "ring/<id>" in the arena. */
struct slice state_lead_key(struct arena *arena, struct slice lead_id);
struct slice state_ring_key(struct arena *arena, struct slice team_id);

/* A lead id is 1 to 64 of [A-Za-z0-9._:-]: no address or phone number with signs can become the name of a Redis key.
 * Digits alone may be a CRM's number or a phone: rules_prepare() rejects an id that is the lead's own phone number. */
enum { LEAD_ID_BYTES_MAX = 64 };
bool state_is_lead_id(struct slice text);

#endif
