/* SPDX-License-Identifier: Apache-2.0
 *
 * Names that a test gives to what we send and store. A mistyped one is refused: what must not be there would otherwise
 * never be there.
 */
#include <string.h>

#include "daemon/ctl/test.h"
#include "rules/base/diag.h"
#include "rules/base/suggest.h"
#include "rules/explain.h"
#include "rules/rules.h"
#include "rules/schema.h"
#include "rules/state.h"
#include "rules/tree.h"

static const char *topic_at(size_t at)
{
	return at < OUT_TOPICS ? out_topic_name((enum out_topic)at) : NULL;
}

static const char *key_start_at(size_t at)
{
	static const char *const starts[] = {"lead", "ident", "ring", "mem"};
	return at < sizeof starts / sizeof *starts ? starts[at] : NULL;
}

/* What some activity may say. */
static const char *activity_member_at(size_t at)
{
	static const char *const members[] = {
		"type",       "lead_id",  "rep",     "tenant",   "actor",         "approver",       "reason",          "at",
		"status",     "stage",    "until",   "every",    "next_step",     "method",         "outcome",         "reached",
		"reaction",   "attitude", "intent",  "need",     "content",       "next_aim",       "next_follow_up_at", "kind",
		"amount",     "currency", "date",    "contract", "decision_maker", "customer_number", "do_not_contact", "verdict",
		"department", "to",       "text",    "team",     "collaborators", "evidence",       "decision",        "other",
		"rating",     "expected_version", "expected_close",
	};
	return at < sizeof members / sizeof *members ? members[at] : NULL;
}

/* `name` is one of the list, or an error at `node` says that `what` is unknown. */
static bool check_name(const struct node *node, struct slice name, const char *(*list)(size_t at), const char *what,
                       struct diags *diags)
{
	struct suggest suggest = suggest_for(name);
	for (size_t at = 0; list(at) != NULL; at++) {
		if (slice_is(name, list(at)))
			return true;
		suggest_offer(&suggest, slice_of(list(at)));
	}
	struct diag *diag = diags_add(diags, ERR_UNKNOWN_REFERENCE, node->span, "%s `%.*s`", what, SLICE_ARG(name));
	diag_did_you_mean(diags, diag, suggest.best);
	return false;
}

/* "contact" of "contact.phone" */
static struct slice before(struct slice text, char mark)
{
	const char *at = memchr(text.p, mark, text.len);
	return at != NULL ? (struct slice){text.p, (size_t)(at - text.p)} : text;
}

bool test_check_type(const struct node *type, struct diags *diags)
{
	return check_name(type, type->text, explain_type, "there is no event", diags);
}

bool test_check_topic(const struct node *topic, struct diags *diags)
{
	struct slice name;
	return node_read_text(topic, "the topic of an event", diags, &name) &&
	       check_name(topic, name, topic_at, "no event goes to a topic", diags);
}

/* That nothing of the person is stored is expected by the names that a record has: "email: ~". */
static bool is_field_not_kept(const struct node_member *member)
{
	if (member->value->kind != NODE_SCALAR || !node_is_empty(member->value))
		return false;
	for (enum schema_object object = SCHEMA_LEAD; object < SCHEMA_RECORD_OBJECTS; object++) {
		size_t count;
		const struct schema_row *rows = schema_rows(object, &count);
		for (size_t i = 0; i < count; i++)
			if (slice_equal(rows[i].name, member->key->text))
				return true;
	}
	return false;
}

bool test_check_members(const struct node *members, struct diags *diags)
{
	bool is_fine = true;
	for (size_t i = 0; i < members->count; i++) {
		const struct node *key = members->members[i].key;
		if (!is_field_not_kept(&members->members[i]))
			is_fine &= check_name(key, before(key->text, '.'), state_lead_member, "a lead's state has no member", diags);
	}
	return is_fine;
}

bool test_check_state_keys(const struct node *keys, struct diags *diags)
{
	bool is_fine = true;
	for (size_t i = 0; i < keys->count; i++) {
		const struct node *key = keys->members[i].key;
		is_fine &= check_name(key, before(key->text, '/'), key_start_at, "no key of the state begins with", diags);
	}
	return is_fine;
}

bool test_check_activity(const struct node *activity, struct diags *diags)
{
	bool is_fine = true;
	for (size_t i = 0; i < activity->count; i++) {
		const struct node *key = activity->members[i].key;
		is_fine &= check_name(key, key->text, activity_member_at, "no activity has a member", diags);
	}
	return is_fine;
}
