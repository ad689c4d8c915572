/* SPDX-License-Identifier: Apache-2.0
 *
 * Section lifecycle: what a site asks for before a lead moves, its words, its bands, and who is told.
 */
#include <stdlib.h>

#include "rules/activity.h"
#include "rules/base/arena.h"
#include "rules/base/suggest.h"
#include "rules/calendar/span.h"
#include "rules/clients.h"
#include "rules/lifecycle.h"
#include "rules/model/model_build.h"

/* Members of activities that a transition can require. */
static const char *const members[] = {
	"actor", "reason", "stage", "next_step", "until", "every", "amount", "currency", "date", "customer_number", "contract",
	"decision_maker", "expected_close", "text", "method", "outcome", NULL,
};

const char *lifecycle_member(size_t at)
{
	return members[at];
}

static void report_unknown(struct model_builder *builder, const struct node *node, const char *what,
                           const char *const *known)
{
	struct diag *diag =
		diags_add(builder->diags, ERR_UNKNOWN_REFERENCE, node->span, "there is no %s `%.*s`", what, SLICE_ARG(node->text));
	struct suggest suggest = suggest_for(node->text);
	for (size_t i = 0; known[i] != NULL; i++)
		suggest_offer(&suggest, slice_of(known[i]));
	diag_did_you_mean(builder->diags, diag, suggest.best);
}

static size_t find(const char *const *known, struct slice name)
{
	for (size_t i = 0; known[i] != NULL; i++)
		if (slice_is(name, known[i]))
			return i;
	return SIZE_MAX;
}

static enum lead_status read_status(struct model_builder *builder, const struct node *key)
{
	const char *known[LEAD_STATUSES + 1] = {NULL};
	for (int status = 0; status < LEAD_STATUSES; status++)
		known[status] = lead_status_name((enum lead_status)status);
	enum lead_status status = lifecycle_find(key->text);
	if (status == LEAD_STATUSES)
		report_unknown(builder, key, "status", known);
	return status;
}

/* A list of at most `most` names. false: an error was added. */
static bool expect_names(struct model_builder *builder, const struct node *node, const char *what, size_t most)
{
	if (!node_expect_sequence(node, what, builder->diags))
		return false;
	if (node->count <= most)
		return true;
	diags_add(builder->diags, ERR_TOO_MANY, node->span, "more than %zu in %s", most, what);
	return false;
}

static void read_needs(struct model_builder *builder, const struct node *node, struct lifecycle_needs *needs)
{
	if (!expect_names(builder, node, "what is required", LIFECYCLE_NEEDS_MAX))
		return;
	for (size_t i = 0; i < node->count; i++) {
		struct slice name;
		if (!model_read_name(builder, node->items[i], "a required member", &name))
			continue;
		if (find(members, name) == SIZE_MAX)
			report_unknown(builder, node->items[i], "member of an activity called", members);
		else
			needs->names[needs->count++] = name;
	}
}

static void read_require(struct model_builder *builder, const struct node *node, struct lifecycle_rules *rules)
{
	if (!node_expect_mapping(node, "lifecycle.require", builder->diags))
		return;
	for (size_t i = 0; i < node->count; i++) {
		enum lead_status status = read_status(builder, node->members[i].key);
		if (status != LEAD_STATUSES)
			read_needs(builder, node->members[i].value, &rules->needs[status]);
	}
}

/* "erase" for activity.erase */
static void read_approved(struct model_builder *builder, const struct node *node, struct lifecycle_rules *rules)
{
	const char *known[ACTIVITY_TYPES + 1] = {NULL};
	for (int type = 0; type < ACTIVITY_TYPES; type++)
		known[type] = strchr(activity_type_name((enum activity_type)type), '.') + 1;
	if (!expect_names(builder, node, "lifecycle.approve", ACTIVITY_TYPES))
		return;
	for (size_t i = 0; i < node->count; i++) {
		struct slice name;
		if (!model_read_name(builder, node->items[i], "an activity", &name))
			continue;
		if (name.len > strlen("activity.") && memcmp(name.p, "activity.", strlen("activity.")) == 0)
			name = (struct slice){name.p + strlen("activity."), name.len - strlen("activity.")}; /* as in the records */
		size_t type = find(known, name);
		if (type == SIZE_MAX)
			report_unknown(builder, node->items[i], "activity", known);
		else
			rules->approved |= (uint64_t)1 << type;
	}
}

/* `- boss` or `- {team: heads}`, which is everybody of that team. */
static size_t read_approver(struct model_builder *builder, const struct node *node, struct slice *ret_names)
{
	static const char *const known[] = {"team", NULL};
	const struct model *model = builder->model;
	struct slice name;
	if (node->kind == NODE_SCALAR)
		return model_read_name(builder, node, "an approver", ret_names);
	if (!node_expect_mapping(node, "an approver", builder->diags))
		return 0;
	node_check_keys(node, known, "an approver", builder->diags);
	const struct node *team = node_require(node, "team", "an approver", builder->diags);
	if (team == NULL || !model_read_name(builder, team, "a team", &name))
		return 0;
	size_t at = model_find_team(model, name);
	if (at == SIZE_MAX) {
		diags_add(builder->diags, ERR_UNKNOWN_REFERENCE, team->span, "there is no team `%.*s`", SLICE_ARG(name));
		return 0;
	}
	for (size_t i = 0; i < model->teams[at].member_count; i++)
		ret_names[i] = model->reps[model->teams[at].members[i].rep].id;
	builder->is_team_used[at] = true;
	return model->teams[at].member_count;
}

static void read_approvers(struct model_builder *builder, const struct node *node, struct lifecycle_rules *rules)
{
	if (!expect_names(builder, node, "lifecycle.approvers", LIFECYCLE_WORDS_MAX))
		return;
	struct slice *names = arena_array(builder->arena, node->count + node->count * builder->model->rep_count, sizeof *names);
	for (size_t i = 0; i < node->count; i++)
		rules->approvers.count += read_approver(builder, node->items[i], &names[rules->approvers.count]);
	rules->approvers.names = names;
	if (rules->approved == 0 || node->count == 0)
		diags_add(builder->diags, ERR_MISSING_KEY, node->span, "`approvers` are for the activities that `approve` names");
}

/* Of what somebody still has to do something about nothing is thrown away. */
static void read_keep(struct model_builder *builder, const struct node *key, const struct node *value, int64_t *ret_ms)
{
	enum lead_status status = read_status(builder, key);
	struct span span;
	if (status == LEAD_STATUSES || !model_read_span(builder, value, "how long leads are kept", &span))
		return;
	if (lifecycle_is_open(status) || status == LEAD_MERGED)
		diags_add(builder->diags, ERR_BAD_VALUE, key->span, "only leads that are lost, invalid or converted go by themselves");
	else if (span.business_days != 0 || span.business_ms != 0 || span_is_zero(&span))
		diags_add(builder->diags, ERR_BAD_SPAN, value->span, "how long leads are kept is plain time: 90d");
	else
		ret_ms[status] = (int64_t)span.days * 86400000 + span.elapsed_ms;
}

static void read_retention(struct model_builder *builder, const struct node *node, struct lifecycle_rules *rules)
{
	if (!node_expect_mapping(node, "lifecycle.retention", builder->diags))
		return;
	for (size_t i = 0; i < node->count; i++)
		read_keep(builder, node->members[i].key, node->members[i].value, rules->retention_ms);
}

static const struct slice *read_names(struct model_builder *builder, const struct node *node, const char *what,
                                      size_t *ret_count)
{
	*ret_count = 0;
	if (!expect_names(builder, node, what, LIFECYCLE_WORDS_MAX))
		return NULL;
	struct slice *names = arena_array(builder->arena, node->count, sizeof *names);
	for (size_t i = 0; i < node->count; i++)
		*ret_count += model_read_name(builder, node->items[i], what, &names[*ret_count]);
	return names;
}

/* `- meeting` or `- {stage: proposal, require: [next_step]}` */
static bool read_stage(struct model_builder *builder, const struct node *node, struct lifecycle_stage *stage)
{
	static const char *const known[] = {"stage", "require", NULL};
	const struct node *name = node;
	*stage = (struct lifecycle_stage){.name = SLICE_NONE};
	if (node->kind != NODE_SCALAR) {
		if (!node_expect_mapping(node, "a stage", builder->diags))
			return false;
		node_check_keys(node, known, "a stage", builder->diags);
		name = node_require(node, "stage", "a stage", builder->diags);
		if (node_get(node, "require") != NULL)
			read_needs(builder, node_get(node, "require"), &stage->needs);
	}
	return name != NULL && model_read_name(builder, name, "a stage", &stage->name);
}

static void read_stages(struct model_builder *builder, const struct node *node, struct lifecycle_rules *rules)
{
	if (!expect_names(builder, node, "lifecycle.stages", LIFECYCLE_WORDS_MAX))
		return;
	struct lifecycle_stage *stages = arena_array(builder->arena, node->count, sizeof *stages);
	struct model_names names;
	model_names_init(&names, "stage");
	for (size_t i = 0; i < node->count; i++)
		rules->stage_count += read_stage(builder, node->items[i], &stages[rules->stage_count]) &&
		                      model_names_add(builder, &names, stages[rules->stage_count].name, node->items[i]);
	model_names_done(&names);
	rules->stages = stages;
}

static const int64_t AMOUNT_MAX = (int64_t)1 << 53;

static bool read_band(struct model_builder *builder, const struct node *node, struct lifecycle_band *band)
{
	static const char *const known[] = {"band", "from", NULL};
	if (!node_expect_mapping(node, "a band", builder->diags))
		return false;
	node_check_keys(node, known, "a band", builder->diags);
	const struct node *name = node_require(node, "band", "a band", builder->diags);
	const struct node *from = node_require(node, "from", "a band", builder->diags);
	return name != NULL && from != NULL && model_read_name(builder, name, "a band", &band->name) &&
	       node_read_int(from, "from", -AMOUNT_MAX, AMOUNT_MAX, builder->diags, &band->from);
}

/* From the lowest up, as they are written, so that a gap or overlap cannot be. */
static void read_bands(struct model_builder *builder, const struct node *node, struct lifecycle_rules *rules)
{
	if (!expect_names(builder, node, "lifecycle.bands", LIFECYCLE_WORDS_MAX))
		return;
	struct lifecycle_band *bands = arena_array(builder->arena, node->count, sizeof *bands);
	for (size_t i = 0; i < node->count; i++) {
		if (!read_band(builder, node->items[i], &bands[rules->band_count]))
			continue;
		size_t at = rules->band_count++;
		if (at != 0 && bands[at].from <= bands[at - 1].from)
			diags_add(builder->diags, ERR_BAND_GAP, node_get(node->items[i], "from")->span,
			          "bands are written from the lowest up; the one before begins at %lld", (long long)bands[at - 1].from);
	}
	rules->bands = bands;
}

static void read_departments(struct model_builder *builder, const struct node *node, struct lifecycle_rules *rules)
{
	if (!node_expect_mapping(node, "lifecycle.departments", builder->diags))
		return;
	struct lifecycle_department *items = arena_array(builder->arena, node->count, sizeof *items);
	for (size_t i = 0; i < node->count; i++) {
		struct lifecycle_department *item = &items[rules->department_count];
		if (model_read_name(builder, node->members[i].key, "a department", &item->name) &&
		    model_read_name(builder, node->members[i].value, "who answers for a department", &item->to))
			rules->department_count++;
	}
	rules->departments = items;
}

static void read_notices(struct model_builder *builder, const struct node *node, struct lifecycle_rules *rules)
{
	if (!node_expect_mapping(node, "lifecycle.notify", builder->diags))
		return;
	for (size_t i = 0; i < node->count; i++) {
		enum lead_status status = read_status(builder, node->members[i].key);
		if (status == LEAD_STATUSES)
			continue;
		struct lifecycle_notice *notice = &rules->notices[status];
		notice->names = read_names(builder, node->members[i].value, "who is told", &notice->count);
	}
}

static void read_credit_back(struct model_builder *builder, const struct node *node, struct lifecycle_rules *rules)
{
	rules->credit_back.names = read_names(builder, node, "a reason", &rules->credit_back.count);
}

static void read_nurture(struct model_builder *builder, const struct node *node, struct lifecycle_rules *rules)
{
	struct err err = ERR_INIT;
	struct span span;
	struct slice text;
	if (!node_read_text(node, "nurture_every", builder->diags, &text))
		return;
	if (span_parse(text, &span, &err) != 0)
		diags_add(builder->diags, ERR_BAD_SPAN, node->span, "%s", err.text);
	else if (span_is_zero(&span))
		diags_add(builder->diags, ERR_OUT_OF_RANGE, node->span, "a lead would be looked at again without end");
	else
		rules->nurture_every = text;
}

static const struct {
	const char *name;
	void (*read)(struct model_builder *, const struct node *, struct lifecycle_rules *);
} parts[] = {
	{"require", read_require}, {"approve", read_approved},          {"stages", read_stages},        {"bands", read_bands},
	{"notify", read_notices},  {"departments", read_departments}, {"nurture_every", read_nurture},
	{"credit_back", read_credit_back}, {"approvers", read_approvers}, {"retention", read_retention},
};

void model_build_lifecycle(struct model_builder *builder)
{
	static const char *const known[] = {"require", "reasons", "credit_back", "approve", "stages", "bands", "notify", "departments",
	                                    "nurture_every", "blank", "approvers", "retention", NULL};
	const struct node *section = model_section(builder, "lifecycle", NODE_MAPPING);
	if (section == NULL)
		return;
	struct lifecycle_rules *rules = arena_alloc(builder->arena, sizeof *rules);
	node_check_keys(section, known, "lifecycle", builder->diags);
	const struct node *reasons = node_get(section, "reasons");
	if (reasons != NULL)
		rules->reasons = read_names(builder, reasons, "a reason", &rules->reason_count);
	if (node_get(section, "blank") != NULL)
		clients_read(builder, node_get(section, "blank"), rules);
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		if (node_get(section, parts[i].name) != NULL)
			parts[i].read(builder, node_get(section, parts[i].name), rules);
	builder->model->lifecycle = rules;
}
