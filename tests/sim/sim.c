/* SPDX-License-Identifier: Apache-2.0
 *
 * The scheduler of sim.h: a heap of steps by virtual time. Two steps at the same time run in the order in which they
 * were asked for; latencies are drawn per step, so this does not make the schedule regular.
 */
#include "tests/sim/sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "rules/base/mem.h"
#include "tests/sim/process.h"

struct step {
	int64_t at_us;
	uint64_t order;
	struct process *process;
	sim_fn fn; /* NULL: cancelled */
	void *ctx;
	struct step *next; /* free list, or parked at a paused process */
};

static bool is_earlier(const struct step *a, const struct step *b)
{
	return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

static void heap_push(struct sim *sim, struct step *step)
{
	if (sim->heap_count == sim->heap_capacity) {
		sim->heap_capacity = sim->heap_capacity ? sim->heap_capacity * 2 : 256;
		sim->heap = xreallocarray(sim->heap, sim->heap_capacity, sizeof(*sim->heap));
	}
	size_t at = sim->heap_count++;
	while (at > 0 && is_earlier(step, sim->heap[(at - 1) / 2])) {
		sim->heap[at] = sim->heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	sim->heap[at] = step;
}

static struct step *heap_pop(struct sim *sim)
{
	struct step *top = sim->heap[0];
	struct step *last = sim->heap[--sim->heap_count];
	size_t at = 0;

	for (size_t child = 1; child < sim->heap_count; child = 2 * at + 1) {
		if (child + 1 < sim->heap_count && is_earlier(sim->heap[child + 1], sim->heap[child]))
			child++;
		if (!is_earlier(sim->heap[child], last))
			break;
		sim->heap[at] = sim->heap[child];
		at = child;
	}
	if (sim->heap_count > 0)
		sim->heap[at] = last;
	return top;
}

struct step *sim_after(struct sim *sim, struct process *process, int64_t delay_us, sim_fn fn, void *ctx)
{
	struct step *step = sim->free_steps;

	if (step)
		sim->free_steps = step->next;
	else
		step = arena_alloc(&sim->arena, sizeof(*step));
	*step = (struct step){sim->now_us + delay_us, sim->step_order++, process, fn, ctx, NULL};
	heap_push(sim, step);
	return step;
}

void sim_cancel(struct step *step)
{
	if (step)
		step->fn = NULL;
}

int64_t sim_latency(struct sim *sim, int64_t typical_us)
{
	if (!sim->is_healed && rng_hits(&sim->rng, sim->chances.slow_step))
		return rng_between(&sim->rng, typical_us, 3000000);
	return rng_between(&sim->rng, typical_us / 10, typical_us);
}

static void park(struct process *process, struct step *step)
{
	step->next = NULL;
	*process->parked_tail = step;
	process->parked_tail = &step->next;
}

void sim_resume_parked(struct sim *sim, struct process *process)
{
	struct step *step = process->parked;

	process->parked = NULL;
	process->parked_tail = &process->parked;
	while (step) {
		struct step *next = step->next;
		step->at_us = sim->now_us;
		step->order = sim->step_order++;
		heap_push(sim, step);
		step = next;
	}
}

static void run_step(struct sim *sim, struct step *step)
{
	struct process *process = step->process;
	sim_fn fn = step->fn;
	void *ctx = step->ctx;

	if (fn && process && process->is_paused && !process->is_dead) {
		park(process, step);
		return;
	}
	step->next = sim->free_steps;
	sim->free_steps = step;
	if (!fn || (process && process->is_dead))
		return;
	sim->step_count++;
	fn(ctx);
}

/* Quiet is only asked for once faults are over. */
bool sim_steps(struct sim *sim, uint64_t count)
{
	uint64_t last = sim->step_count + count;

	while (sim->heap_count > 0 && sim->step_count < last) {
		struct step *step = heap_pop(sim);
		if (step->at_us > sim->now_us)
			sim->now_us = step->at_us;
		run_step(sim, step);
		if (!sim->is_healed && sim->step_count >= sim->next_fault_step)
			world_fault(sim);
		if (sim->is_healed && sim->step_count % 16 == 0 && world_is_quiet(sim))
			return true;
	}
	return false;
}

bool sim_run(uint64_t seed, const struct reference *reference, bool is_tracing, struct sim_counts *totals,
             char *ret_text, size_t text_bytes)
{
	struct sim *sim = xcalloc(1, sizeof(*sim));

	*sim = (struct sim){.seed = seed, .rng = {seed * 0x2545f4914f6cdd1du + 1}, .reference = reference,
	                    .is_tracing = is_tracing, .counts = {.schedules = 1}};
	world_build(sim);
	bool is_quiet = sim_steps(sim, SIM_STEPS_MAX);
	if (!is_quiet)
		sim_finding(sim, BAD_STUCK, "not at rest after %llu steps, %lld ms", (unsigned long long)sim->step_count,
		            (long long)(sim->now_us / 1000));
	oracle_judge(sim);
	sim->counts.steps = sim->step_count;
	world_done(sim);
	bool is_good = sim->bad_text[0] == '\0';
	snprintf(ret_text, text_bytes, "%s", sim->bad_text);
#define X(name) totals->name += sim->counts.name;
	SIM_COUNTS(X)
#undef X
	arena_done(&sim->arena);
	free(sim->heap);
	free(sim);
	return is_good;
}

void sim_finding(struct sim *sim, enum sim_bad bad, const char *format, ...)
{
	uint64_t *counts[] = {
		[BAD_LOST] = &sim->counts.lost,       [BAD_DOUBLE] = &sim->counts.double_owned,
		[BAD_DUPLICATE] = &sim->counts.duplicate, [BAD_EARLY] = &sim->counts.early,
		[BAD_VIEW] = &sim->counts.view_differs, [BAD_LOG] = &sim->counts.log_differs,
		[BAD_STUCK] = &sim->counts.stuck,
	};
	char text[sizeof(sim->bad_text)];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	++*counts[bad];
	if (sim->bad_text[0] == '\0')
		memcpy(sim->bad_text, text, sizeof(text));
	sim_trace(sim, "FINDING %s", text);
}

void sim_trace(struct sim *sim, const char *format, ...)
{
	va_list args;

	if (!sim->is_tracing)
		return;
	printf("%9lld.%03d ", (long long)(sim->now_us / 1000), (int)(sim->now_us % 1000));
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

struct slice sim_copy(struct sim *sim, struct slice bytes)
{
	if (bytes.len == 0)
		return SLICE("");
	return (struct slice){arena_memdupz(&sim->arena, bytes.p, bytes.len), bytes.len};
}
