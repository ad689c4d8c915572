/* SPDX-License-Identifier: Apache-2.0
 *
 * Activities that ask somebody else for something and leave the lead where it is: activity.issue goes to the department
 * concerned (S2-ISSUES), activity.complaint to whoever oversees (S2-OVERSIGHT), activity.help_requested to the person named
 * or, without a name, to the department "help" (S1-PLAN).
 */
#include "rules/decide.h"

#include "rules/event_lifecycle.h"
#include "rules/lifecycle.h"

static int read_note(struct activity *activity, struct err *err)
{
	const struct json *data = activity->data;
	if (activity_text(data, "department", ACTIVITY_TEXT_BYTES_MAX, &activity->department, err) != 0 ||
	    activity_text(data, "to", ACTIVITY_TEXT_BYTES_MAX, &activity->to, err) != 0)
		return -1;
	return activity_text(data, "text", ACTIVITY_OUTCOME_BYTES_MAX, &activity->text, err);
}

int act_issue_read(struct activity *activity, struct arena *arena, struct err *err)
{
	(void)arena;
	if (read_note(activity, err) != 0)
		return -1;
	if (activity->department.len == 0)
		return err_set_at(err, ERR_MISSING_FIELD, "department", "an issue names the department that it is for");
	return 0;
}

int act_complaint_read(struct activity *activity, struct arena *arena, struct err *err)
{
	(void)arena;
	return read_note(activity, err);
}

int act_help_read(struct activity *activity, struct arena *arena, struct err *err)
{
	(void)arena;
	return read_note(activity, err);
}

static const struct lifecycle_department *find_department(const struct lifecycle_rules *rules, struct slice name)
{
	for (size_t i = 0; i < rules->department_count; i++)
		if (slice_equal(rules->departments[i].name, name))
			return &rules->departments[i];
	return NULL;
}

/* A department that the activity names has to exist, once there are any. */
static void take_note(struct work *work, const char *type, struct slice standard)
{
	const struct activity *activity = work->activity;
	const struct lifecycle_rules *rules = lifecycle_rules(work->model);
	struct note note = {.type = type, .department = activity->department, .to = activity->to, .text = activity->text};
	if (note.department.len == 0 && note.to.len == 0)
		note.department = standard;
	const struct lifecycle_department *department = find_department(rules, note.department);
	if (department == NULL && activity->department.len != 0 && rules->department_count != 0) {
		decide_reject(work, work->prepared->record, ERR_UNKNOWN_WORD, "department", "no department of that name is configured");
		return;
	}
	if (department != NULL && note.to.len == 0)
		note.to = department->to;
	if (!work->is_repeated)
		work_write_lead(work, work->lead_id);
	event_note(work, &note);
}

void act_issue(struct work *work)
{
	take_note(work, "lead.issue", SLICE_NONE);
}

void act_complaint(struct work *work)
{
	take_note(work, "lead.complaint", SLICE("complaints"));
}

void act_help(struct work *work)
{
	take_note(work, "lead.help_requested", SLICE("help"));
}
