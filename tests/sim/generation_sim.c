/* SPDX-License-Identifier: Apache-2.0
 *
 * generation.h and plugin_host.h: the one model of the run, and plug-ins that answer late and have nothing to say.
 */
#include <assert.h>

#include "daemon/generation.h"
#include "daemon/plugin_host.h"
#include "tests/sim/process.h"
#include "tests/sim/reference.h"

struct generation {
	const struct model *model;
	struct process *process;
};

struct plugin_ask {
	struct step *step;
	loop_fn on_done;
	void *ctx;
	bool is_over;
};

struct generation *generation_sim_new(struct process *process)
{
	struct generation *generation = arena_alloc(&process->sim->arena, sizeof(*generation));

	generation->model = process->sim->reference->model;
	generation->process = process;
	return generation;
}

struct generation *generation_ref(struct generation *generation)
{
	return generation;
}

void generation_unref(struct generation *take_generation)
{
	(void)take_generation; /* lives in the schedule's arena */
}

const struct model *generation_model(const struct generation *generation)
{
	return generation->model;
}

static void on_plugins_done(void *ctx)
{
	struct plugin_ask *ask = ctx;

	ask->is_over = true;
	ask->on_done(ask->ctx);
}

struct plugin_ask *plugin_host_ask(struct generation *generation, struct prepared *prepared, loop_fn on_done, void *ctx)
{
	struct process *process = generation->process;
	struct sim *sim = process->sim;

	(void)prepared;
	if (!rng_hits(&sim->rng, sim->chances.plugins))
		return NULL;
	struct plugin_ask *ask = arena_alloc(&sim->arena, sizeof(*ask));
	*ask = (struct plugin_ask){.on_done = on_done, .ctx = ctx};
	ask->step = sim_after(sim, process, rng_between(&sim->rng, 100, 30000), on_plugins_done, ask);
	return ask;
}

void plugin_host_cancel(struct plugin_ask *take_ask)
{
	assert(!take_ask->is_over); /* the real one is freed before on_done */
	sim_cancel(take_ask->step);
	take_ask->is_over = true;
}
