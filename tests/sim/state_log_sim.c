/* SPDX-License-Identifier: Apache-2.0
 *
 * state_log.h over the model of Kafka: reads a few records a step, committed ones only, up to the last stable offset,
 * until the position has passed the barrier. The log may be compacted between two steps; a slow reader takes seconds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/mutation.h"
#include "daemon/state_log.h"
#include "rules/base/mem.h"
#include "tests/sim/broker.h"
#include "tests/sim/process.h"

enum { READ_TYPICAL_US = 1000, WAIT_US = 100000, READ_CHUNK_MAX = 12 };

struct state_log {
	struct process *process;
};

struct state_log_reader {
	struct state_log *log;
	int32_t shard;
	int64_t position, barrier;
	struct state_log_events events;
	struct step *step;     /* NULL while paused */
	bool is_paused, is_cancelled, is_in_step;
};

struct state_log *state_log_sim_new(struct process *process)
{
	struct state_log *log = xcalloc(1, sizeof(*log));

	log->process = process;
	return log;
}

void state_log_sim_free(struct state_log *log)
{
	free(log);
}

int64_t state_log_retention_ms(const struct state_log *log)
{
	(void)log; /* the same for every partition */
	return SIM_RETENTION_MS;
}

static void on_read(void *ctx);

static void schedule(struct state_log_reader *reader, int64_t delay_us)
{
	struct process *process = reader->log->process;

	if (!process->sim->is_healed && rng_hits(&process->sim->rng, process->sim->chances.slow_reader))
		delay_us = rng_between(&process->sim->rng, 50000, process->sim->chances.stall_max_us);
	reader->step = sim_after(process->sim, process, delay_us, on_read, reader);
}

static void end(struct state_log_reader *reader, enum state_log_end how)
{
	struct err err = ERR_INIT;

	if (how != STATE_LOG_DONE)
		err_set(&err, ERR_COMMIT_FAILED, "the state log cannot be read");
	reader->events.on_end(reader->events.ctx, how, &err);
	free(reader);
}

/* Returns false when the receiver wants no more for now. */
static bool deliver(struct state_log_reader *reader, const struct entry *entry)
{
	const struct produced *from = entry->record;
	const struct state_record record = {
		.offset = entry->offset,
		.key = from->is_barrier ? SLICE("barrier") : from->write.key,
		.value = from->write.value,
		.is_tombstone = !from->is_barrier && from->write.is_tombstone,
		.is_barrier = from->is_barrier,
		.seq = from->head.seq,
		.hash = slice_of(from->head.hash),
	};

	return reader->events.on_record(reader->events.ctx, &record);
}

/* One chunk. Returns false when the reader is paused or cancelled. */
static bool read_chunk(struct state_log_reader *reader)
{
	struct broker *broker = reader->log->process->sim->broker;
	int64_t stable_end = broker_stable_end(broker, reader->shard);

	uint64_t left = 1 + rng_below(&broker->sim->rng, READ_CHUNK_MAX);

	for (; left > 0 && reader->position <= reader->barrier; left--) {
		const struct entry *entry = broker_entry(broker, reader->shard, reader->position);
		if (!entry || entry->offset >= stable_end) {
			if (reader->position < stable_end)
				reader->position = stable_end;
			return true;
		}
		reader->position = entry->offset + 1;
		bool is_visible = entry->record && entry->txn->end == TXN_COMMIT;
		if (entry->offset > reader->barrier || !is_visible)
			continue;
		if (!deliver(reader, entry))
			reader->is_paused = true;
		if (reader->is_cancelled || reader->is_paused)
			return false;
	}
	return true;
}

static void on_read(void *ctx)
{
	struct state_log_reader *reader = ctx;
	struct broker *broker = reader->log->process->sim->broker;

	reader->step = NULL;
	if (reader->position > broker->state[reader->shard].end) {
		end(reader, STATE_LOG_TRUNCATED);
		return;
	}
	struct sim *sim = reader->log->process->sim;
	if (!sim->is_healed && rng_hits(&sim->rng, sim->chances.log_fails)) {
		end(reader, rng_hits(&sim->rng, 5000) ? STATE_LOG_FAILED : STATE_LOG_TRUNCATED);
		return;
	}
	int64_t before = reader->position;
	reader->is_in_step = true;
	bool goes_on = read_chunk(reader);
	reader->is_in_step = false;
	if (reader->is_cancelled)
		free(reader);
	else if (goes_on && reader->position > reader->barrier)
		end(reader, STATE_LOG_DONE);
	else if (goes_on)
		schedule(reader, reader->position > before ? sim_latency(reader->log->process->sim, READ_TYPICAL_US) : WAIT_US);
}

struct state_log_reader *state_log_read(struct state_log *log, int32_t shard, int64_t from, int64_t barrier,
                                        const struct state_log_events *events)
{
	struct state_log_reader *reader = xcalloc(1, sizeof(*reader));

	*reader = (struct state_log_reader){.log = log, .shard = shard, .position = from, .barrier = barrier,
	                                    .events = *events};
	/* without a barrier all that is left is what looks like the end */
	if (mutation_is("no-barrier") || mutation_is("no-claim"))
		reader->barrier = broker_stable_end(log->process->sim->broker, shard) - 1;
	schedule(reader, sim_latency(log->process->sim, READ_TYPICAL_US));
	return reader;
}

void state_log_continue(struct state_log_reader *reader)
{
	if (!reader->is_paused)
		return;
	reader->is_paused = false;
	if (!reader->is_in_step)
		schedule(reader, sim_latency(reader->log->process->sim, READ_TYPICAL_US));
}

void state_log_cancel(struct state_log_reader *reader)
{
	reader->is_cancelled = true;
	if (reader->is_in_step)
		return;
	sim_cancel(reader->step);
	free(reader);
}
