/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/pool_report.h"

#include "rules/base/arena.h"
#include "rules/base/strbuf.h"
#include "rules/desk.h"
#include "rules/json/json.h"
#include "rules/model.h"
#include "rules/overlay.h"

struct report {
	struct json_writer *writer;
	const struct model *model;
	const struct desk *desk;
	const struct post *post;
	const struct ring *ring;
	struct arena *arena;
};

static void put_position(const struct report *report, const char *name, struct turn turn)
{
	char n[DECIMAL_BYTES], weight[DECIMAL_BYTES];
	json_put_text(report->writer, name,
	              ARENA_JOIN(report->arena, decimal_text(turn.n, n), SLICE("/"), decimal_text(turn.weight, weight)));
}

static struct slice id_of(const struct report *report, uint32_t member)
{
	return report->model->reps[report->post->team->members[member].rep].id;
}

/* Who has left has no share. */
static bool has_share(const struct report *report, uint32_t member)
{
	return report->model->reps[report->post->team->members[member].rep].is_active;
}

/* Turns for each unit of weight, of those that were ever taken here by members who have a share. */
static double share_of(const struct report *report)
{
	int64_t weights = 0, given = 0;
	for (uint32_t i = 0; i < report->post->team->member_count; i++)
		if (has_share(report, i)) {
			weights += report->post->team->members[i].weight;
			given += report->ring->seats[i].given;
		}
	return weights != 0 ? (double)given / (double)weights : 0;
}

static void put_member(const struct report *report, uint32_t member, double share)
{
	struct json_writer *writer = report->writer;
	const struct seat *seat = &report->ring->seats[member];
	int64_t weight = report->post->team->members[member].weight;
	double owed = has_share(report, member) ? share * (double)weight : 0;
	json_open_object(writer, NULL);
	json_put_text(writer, "rep", id_of(report, member));
	json_put_int(writer, "weight", weight);
	json_put_text(writer, "presence", slice_of(block_name(post_block(report->desk, report->post, member, 1))));
	put_position(report, "position", ring_turn(report->ring, member));
	json_put_int(writer, "given", seat->given);
	json_put_real(writer, "owed", (double)(int64_t)(owed * 100 + 0.5) / 100);
	if (seat->back != 0)
		json_put_int(writer, "given_back", seat->back);
	if (seat->owed != 0)
		json_put_int(writer, "arrears", seat->owed);
	json_put_int(writer, "open", report->post->loads[member]);
	json_close_object(writer);
}

static void put_members(const struct report *report)
{
	int64_t given = 0;
	for (uint32_t i = 0; i < report->post->team->member_count; i++)
		given += report->ring->seats[i].given;
	double share = share_of(report);
	json_put_int(report->writer, "given", given);
	json_open_array(report->writer, "members");
	for (uint32_t i = 0; i < report->post->team->member_count; i++)
		put_member(report, i, share);
	json_close_array(report->writer);
}

static bool is_candidate(const struct report *report, uint32_t member)
{
	return post_block(report->desk, report->post, member, 1) == BLOCK_NONE;
}

static bool is_sooner(const struct report *report, uint32_t a, uint32_t b)
{
	return report->post->pool->by_load ? ring_is_less_loaded(report->ring, a, b) : ring_is_before(report->ring, a, b);
}

/* In turn as things stand, criteria left aside: a selection of the first few. */
static void put_next(const struct report *report)
{
	uint32_t last = RING_NOBODY;
	json_open_array(report->writer, "next");
	for (size_t shown = 0; shown < POOL_REPORT_NEXT; shown++) {
		uint32_t best = RING_NOBODY;
		for (uint32_t i = 0; i < report->post->team->member_count; i++) {
			bool is_behind = last == RING_NOBODY || (i != last && is_sooner(report, last, i));
			if (is_candidate(report, i) && is_behind && (best == RING_NOBODY || is_sooner(report, i, best)))
				best = i;
		}
		if (best == RING_NOBODY)
			break;
		json_put_text(report->writer, NULL, id_of(report, best));
		last = best;
	}
	json_close_array(report->writer);
}

/* A round gives each his weight, and so moves a credit for each unit of weight by the sum of the weights. */
static double credit_lag(const struct ring *ring)
{
	double most = 0, least = 0, sum = 0;
	for (size_t i = 0; i < ring->team->member_count; i++) {
		double credit = (double)ring->seats[i].n / (double)ring->team->members[i].weight;
		most = i == 0 || credit > most ? credit : most;
		least = i == 0 || credit < least ? credit : least;
		sum += (double)ring->team->members[i].weight;
	}
	return sum > 0 ? (most - least) / sum : 0;
}

/* Turns that were given back put somebody before the mark. */
static double stride_lag(const struct ring *ring)
{
	double low = (double)ring->mark.n / (double)ring->mark.weight, high = (double)ring->high_n / (double)ring->high_weight;
	for (size_t class = 0; class < ring->pool->class_count; class++) {
		uint32_t first = ring_first(ring, class);
		struct turn turn = first != RING_NOBODY ? ring_turn(ring, first) : ring->mark;
		double here = (double)turn.n / (double)turn.weight;
		low = here < low ? here : low;
	}
	return high > low ? high - low : 0;
}

static double lag_of(const struct ring *ring)
{
	return ring->pool->rotation == ROTATION_CREDIT ? credit_lag(ring) : stride_lag(ring);
}

static void put_lane(const struct report *report)
{
	json_open_object(report->writer, NULL);
	json_put_text(report->writer, "lane", report->ring->lane);
	json_put_real(report->writer, "lag_rounds", (double)(int64_t)(lag_of(report->ring) * 1000 + 0.5) / 1000);
	put_next(report);
	put_members(report);
	json_close_object(report->writer);
}

void pool_report(struct json_writer *writer, const char *name, const struct model *model, struct rules_view view,
                 size_t team, int64_t now_ms)
{
	struct arena arena = ARENA_INIT;
	struct overlay overlay;
	struct desk *desk = desk_new();
	overlay_init(&overlay, view, model->identity_secret, &arena);
	desk_at(desk, model, &overlay, now_ms);
	struct post *post = desk_post(desk, &overlay, team);
	json_open_object(writer, name);
	json_put_text(writer, "pool", post->team->id);
	json_put_text(writer, "rotation", post->pool->rotation == ROTATION_CREDIT ? SLICE("credit") : SLICE("stride"));
	json_put_text(writer, "choose_by", post->pool->by_load ? SLICE("load") : SLICE("rotation"));
	json_put_int(writer, "available", (int64_t)post_free(post));
	json_put_int(writer, "waiting", (int64_t)desk->backlog.lines[team].count);
	json_open_array(writer, "lanes");
	for (size_t lane = 0; lane <= post->pool->lane_count; lane++)
		put_lane(&(struct report){writer, model, desk, post, desk_ring(desk, &overlay, post, lane), &arena});
	json_close_array(writer);
	json_close_object(writer);
	desk_free(desk);
	arena_done(&arena);
}

void desk_measure(const struct desk *desk, void (*see)(void *ctx, struct slice team, double lag, size_t waiting), void *ctx)
{
	for (size_t team = 0; desk->is_ready && team < desk->model->team_count; team++) {
		const struct post *post = desk->posts[team];
		double worst = 0;
		for (size_t lane = 0; post != NULL && lane <= post->pool->lane_count; lane++) {
			double lag = post->rings[lane] != NULL ? lag_of(post->rings[lane]) : 0;
			worst = lag > worst ? lag : worst;
		}
		if (post != NULL || desk->backlog.lines[team].count != 0)
			see(ctx, desk->model->teams[team].id, worst, desk->backlog.lines[team].count);
	}
}
