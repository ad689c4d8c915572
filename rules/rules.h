/* SPDX-License-Identifier: Apache-2.0
 *
 * The door of the pure core: (record, what is known, now, model) -> outcome events + writes.
 *
 * The life of one record, as the daemon drives it:
 *
 *     rules_prepare()   bytes -> lead or activity, cleansed, with its identity keys      (no view needed)
 *     rules_wants()     which state keys have to be read before it can be decided
 *     … the daemon reads them, and asks plug-ins for facts …
 *     decider_decide()  outcome events and writes, seen by the later records of the same batch
 *     decider_finish()  the write-set of the whole batch, newest value per key
 *
 * A batch is decided by one decider. Nothing here talks to anybody, knows the time or keeps anything beyond its
 * arguments: the same model, state, records and times give the same bytes on every machine (semantics.md 2.13). What the
 * live path, `leadctl explain`, tests and the simulator run is this one code.
 */
#ifndef LR_RULES_RULES_H
#define LR_RULES_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/base/err.h"
#include "rules/base/slice.h"

struct arena;
struct model;

enum {
	RULES_RECORD_BYTES_MAX = 64 * 1024,  /* value of an input record; larger is rejected before it is parsed */
	RULES_JSON_DEPTH_MAX = 16,
	RULES_JSON_VALUES_MAX = 2000,
	RULES_HEADERS_MAX = 64,
	RULES_WANTS_MAX = 8,                 /* state keys one record can ask for */
};

/* ---- input */

enum record_kind { RECORD_CAPTURED, RECORD_ACTIVITY };

struct header {
	struct slice name, value; /* value.p NULL: a null header */
};

/* One input record, borrowed from the batch for as long as the batch lives. */
struct record {
	enum record_kind kind;
	struct slice topic;
	int32_t partition;
	int64_t offset;
	int64_t timestamp_ms; /* of the broker or producer; -1 unknown */
	struct slice key, value;
	bool has_key, has_value; /* a null value is not an empty one */
	const struct header *headers;
	size_t header_count;
	bool has_unreadable_headers; /* more than the client takes (100,000 in librdkafka): rejected without them */
	int32_t partition_count; /* of the input topics: tells whether the tenant belongs here */
};

/* ---- state keys
 *
 * "lead/<lead id>", "ident/<key id>.<normaliser>.<kind>.<mac>", "ring/<team id>…", "mem/<kind>/<…>". The part before '/' is
 * the container (rules/state.h has the codecs and what sales apps may read).
 *
 * Memory keys ("ring/" and "mem/") are all in the memory of the shard's one writer, loaded when it opens, so a decision may
 * look at any of them unasked. Leads and memory keys may have a due time. */

/* True for a key that a decision may look at without having asked for it. */
bool rules_is_memory(struct slice key);

enum view_answer { VIEW_FOUND, VIEW_ABSENT, VIEW_NOT_READ };

/* What a decision may see. `get` answers from the newest layer down: pending batches, values read, memory. VIEW_NOT_READ
 * means that nobody asked for the key: with rules_wants() honoured this is a bug, and the core asserts on it.
 * Values are borrowed and stay valid and unchanged for as long as the decider's arena: events may point into them. */
struct rules_view {
	enum view_answer (*get)(void *ctx, struct slice key, struct slice *ret_value);
	void *ctx;
	/* Calls see(arg, key) for each memory key that begins with `prefix`, in any order; a key may come twice, and one that is
	 * absent may come too. NULL: there are none. */
	void (*each)(void *ctx, struct slice prefix, void (*see)(void *arg, struct slice key), void *arg);
};

/* ---- preparing */

/* A parsed, cleansed record, or the reason why it is rejected. Lives in the arena given to rules_prepare. */
struct prepared;

/* `now_ms` is the wall time of intake (captured_at defaults to it). Never fails: a bad record is prepared as a reject. */
struct prepared *rules_prepare(const struct model *model, const struct record *record, int64_t now_ms,
                               struct arena *arena);

/* The state keys that must be readable through the view before decider_decide(prepared): fills ret_keys and returns
 * their number. A reader that finds an "ident/" key also reads the "lead/" key it points to, in the same atomic read;
 * one that finds a "lead/" key, however it came to it, also reads the lead that rules_lead_beside() finds in its value (but
 * not what that one names in turn).
 * Memory keys are not listed. */
size_t rules_wants(const struct prepared *prepared, struct slice ret_keys[RULES_WANTS_MAX]);

/* True when the record can still become a lead, so that plug-ins should be asked. */
bool rules_is_lead(const struct prepared *prepared);
/* What plug-ins may look at: "contact.email", "location.ip", … as cleansed; SLICE_NONE when absent. */
struct slice rules_field(const struct prepared *prepared, const char *path);
/* An answer of a plug-in: a fact named "<plugin>.<name>" for rules and scores (facts["geo.country"]). Borrowed texts are
 * copied into the prepared record's arena. At most 32 facts; -1 beyond. */
int rules_add_fact_bool(struct prepared *prepared, const char *name, bool value);
int rules_add_fact_text(struct prepared *prepared, const char *name, struct slice value);
int rules_add_fact_int(struct prepared *prepared, const char *name, int64_t value);
/* A plug-in fills a field that is still empty ("location.country"); recorded among the changes with its name.
 * Returns false when the field is unknown or already set. */
bool rules_fill_field(struct prepared *prepared, const char *path, struct slice value, const char *plugin);

/* ---- deciding */

enum out_topic { OUT_ASSIGNMENTS, OUT_FOLLOWUPS, OUT_LIFECYCLE, OUT_REJECTED, OUT_TOPICS };

/* "assignments", "followups", … */
const char *out_topic_name(enum out_topic topic);

/* One record to be produced. All texts live in the decider's arena or are borrowed from the record. */
struct event {
	enum out_topic topic;
	struct slice id;      /* deterministic: from its cause, never from a counter or clock */
	const char *type;     /* "lead.assigned"; for OUT_REJECTED "lead.rejected" */
	struct slice subject; /* lead id; empty when the record had none */
	struct slice cause;   /* "<topic>/<partition>/<offset>" or "timer:<lead>:<timer>:<cycle>" */
	int64_t at_ms;        /* the decision's `now` */
	bool is_waiters;      /* of a lead that waited: what set it in motion has no part in how large the event is */
	bool has_key, has_value;
	struct slice key, value;      /* JSON; for OUT_REJECTED the original bytes */
	const struct header *headers; /* further headers: originals and errors for OUT_REJECTED, traceparent */
	size_t header_count;
};

struct write {
	struct slice key;
	struct slice value; /* ignored when is_tombstone */
	bool is_tombstone;
	int64_t due_ms;     /* for "lead/" and "mem/" keys: when it has to be fired; 0 none */
};

enum outcome {
	OUTCOME_ASSIGNED,
	OUTCOME_UNASSIGNED, /* graded and kept, but not routed, or nobody there: says why */
	OUTCOME_DUPLICATE,
	OUTCOME_REJECTED,
	OUTCOME_ACTIVITY,   /* an activity that was taken */
	OUTCOME_TIMER,
	OUTCOME_NOTHING,    /* a timer that is not due any more */
	OUTCOMES
};

const char *outcome_name(enum outcome outcome);

/* What one record or timer came to. `events` has at least one, except for OUTCOME_NOTHING. */
struct decision {
	enum outcome outcome;
	enum err_code code;       /* why, for OUTCOME_REJECTED */
	const struct event *events;
	size_t event_count;
	struct slice lead_id, owner, team, route, grade, source; /* for logs and counters; may be empty */
	struct place_text { const char *file; unsigned line; } rule; /* file NULL when no rule was reached */
	int64_t since_ms;         /* when the record was taken by the broker, or the timer fell due; 0 unknown */
};

/* Decides the records of one batch in order. All memory comes from `arena`, which must outlive the write-set. */
struct decider;

struct decider *decider_new(const struct model *model, struct rules_view view, struct arena *arena);
/* What the shard's one writer keeps in its head between batches (rules/desk.h): with it a decider need not read rotations and
 * loads again. No decision depends on it. It belongs to one shard and sees all its decisions in order; whoever decides and
 * then cannot commit calls desk_forget(), and so does whoever frees a model that it has met. */
struct desk;
struct desk *desk_new(void);
void desk_free(struct desk *desk);
void desk_forget(struct desk *desk);
/* Before the first record. The decider must be finished before the desk is used by another. */
void decider_use_desk(struct decider *decider, struct desk *desk);
/* Decides one record; its writes are visible to the next one. `prepared` is left as it was: after an aborted transaction
 * the same record is decided again, by another decider. */
void decider_decide(struct decider *decider, struct prepared *prepared, int64_t now_ms, struct decision *ret);
/* Fires what is due at `now_ms` for one name of the due index: a lead id (its "lead/" key must be readable through the view)
 * or a whole memory key. One that is absent or cannot be read gets no event, but a write that takes its timer away (a
 * tombstone, or the value as it was). */
void decider_fire(struct decider *decider, struct slice name, int64_t now_ms, struct decision *ret);

/* Called once per shard when it has been opened and whenever it meets another model, before anything else is decided with
 * that model. */
void decider_begin(struct decider *decider, int64_t now_ms, struct decision *ret);

/* ---- walks: looking at every lead in bounded steps
 *
 * A memory key "mem/walk/<name>" asks for a walk over all leads of the shard: recompute clocks, hand over what somebody
 * owned, list what is due. Keys are taken one after the other, in bytewise order. Each lead that was there when the key was
 * written is visited at least once, in no particular order; leads that a later decision wrote may be missed: whoever decides
 * while the key is there minds it himself. At the end decider_walked() is called, which takes the key away. After a restart,
 * a rebuild or an abort a walk begins anew: visiting has to be idempotent. Steps ride on batches (WALK_STEP leads each), so
 * routing goes on. */
#define RULES_WALK_PREFIX "mem/walk/"

/* The lead's value is readable through the view. */
void decider_visit(struct decider *decider, struct slice walk_key, struct slice lead_id, int64_t now_ms,
                   struct decision *ret);
void decider_walked(struct decider *decider, struct slice walk_key, int64_t now_ms, struct decision *ret);

/* The batch's writes, one per key with its newest value, in order of first write. The decider must not be used after.
 * Both arrays live in the arena. */
void decider_finish(struct decider *decider, const struct write **ret_writes, size_t *ret_count);

/* ---- odds and ends that both sides must compute alike */

/* The shard that a tenant belongs to: murmur2 of its bytes, as Java's default partitioner does. count > 0. */
int32_t rules_partition_of(struct slice tenant, int32_t partition_count);
/* When a "lead/" or "mem/" value is due, in ms since 1970; 0 none. For rebuilding the `due` index. */
int64_t rules_due_of(struct slice key, struct slice value);
/* The lead id that an "ident/" value points to. Empty when malformed. */
struct slice rules_ident_lead(struct slice value);
/* The lead that a "lead/" value says it may be merged with ("contest"). Empty when it names none. */
struct slice rules_lead_beside(struct slice value);
/* An outcome for a record that must be rejected unseen (it crashed the process twice; too large for the broker). */
void decider_reject(struct decider *decider, const struct record *record, enum err_code code, const char *text,
                    int64_t now_ms, struct decision *ret);

/* The same for a lead that waits and whose event is too large, before the first record: it is taken out of its line, belongs to
 * nobody and is told as rejected, with its stored state or only the first bytes of that. OUTCOME_NOTHING: it does not wait. */
void decider_set_aside(struct decider *decider, struct slice lead_id, bool is_cut, int64_t now_ms, struct decision *ret);

#endif
