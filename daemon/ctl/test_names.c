/* SPDX-License-Identifier: Apache-2.0
 *
 * Names that a test gives to what we send and store. A mistyped one is refused: what must not be there would otherwise
 * never be there.
 */
#include <string.h>

#include "daemon/ctl/test.h"
#include "rules/activity.h"
#include "rules/base/diag.h"
#include "rules/base/suggest.h"
#include "rules/json/tree.h"
#include "rules/lifecycle.h"
#include "rules/rules.h"
#include "rules/schema.h"
#include "rules/story/explain.h"

static const char *topic_at(size_t at)
{
	return at < OUT_TOPICS ? out_topic_name((enum out_topic)at) : NULL;
}

static const char *key_start_at(size_t at)
{
	static const char *const starts[] = {"lead", "ident", "ring", "mem"};
	return at < sizeof starts / sizeof *starts ? starts[at] : NULL;
}

static const char *activity_type_at(size_t at)
{
	return at < ACTIVITY_TYPES ? activity_type_name((enum activity_type)at) : NULL;
}

/* Those of its headers, as test_expect.c shows them. */
static const char *rejection_member_at(size_t at)
{
	static const char *const members[] = {"code", "number", "field", "text"};
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

bool test_check_topic(const struct node *topic, struct diags *diags)
{
	struct slice name;
	return node_read_text(topic, "the topic of an event", diags, &name) &&
	       check_name(topic, name, topic_at, "no event goes to a topic", diags);
}

static bool has_field(struct slice name, bool (*is_meant)(const struct schema_row *row))
{
	for (enum schema_object object = SCHEMA_LEAD; object < SCHEMA_RECORD_OBJECTS; object++) {
		size_t count;
		const struct schema_row *rows = schema_rows(object, &count);
		for (size_t i = 0; i < count; i++)
			if (slice_equal(rows[i].name, name) && is_meant(&rows[i]))
				return true;
	}
	return false;
}

static bool is_any(const struct schema_row *row)
{
	(void)row;
	return true;
}

static bool is_of_person(const struct schema_row *row)
{
	return row->is_person || row->part == SCHEMA_CONTACT;
}

/* That nothing of the person is stored or told is expected by the names that a record has: "email: ~". */
static bool is_expected_absent(const struct node_member *member, bool (*is_meant)(const struct schema_row *row))
{
	return member->value->kind == NODE_SCALAR && node_is_empty(member->value) && has_field(member->key->text, is_meant);
}

/* "type" and "topic" are the test's own words. */
static bool check_event_member(struct slice type, const struct node_member *member, struct test_schemas *schemas,
                               struct diags *diags)
{
	const struct node *key = member->key;
	if (slice_is(key->text, "type") || slice_is(key->text, "topic") || is_expected_absent(member, is_of_person))
		return true;
	if (slice_is(type, "lead.rejected"))
		return check_name(key, key->text, rejection_member_at, "a rejected record has no member", diags);
	return test_schema_check(schemas, type, member, diags);
}

bool test_check_event(const struct node *event, struct test_schemas *schemas, struct diags *diags)
{
	const struct node *type = event->kind == NODE_MAPPING ? node_get(event, "type") : event;
	bool is_fine = check_name(type, type->text, explain_type, "there is no event", diags);
	if (!is_fine || event->kind != NODE_MAPPING)
		return is_fine;
	for (size_t i = 0; i < event->count; i++)
		is_fine &= check_event_member(type->text, &event->members[i], schemas, diags);
	return is_fine;
}

bool test_check_members(const struct node *members, struct test_schemas *schemas, struct diags *diags)
{
	bool is_fine = true;
	for (size_t i = 0; i < members->count; i++)
		if (!is_expected_absent(&members->members[i], is_any))
			is_fine &= test_schema_check(schemas, SLICE("state.lead"), &members->members[i], diags);
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

/* `~` takes a default away; what a site asks for before a lead moves comes with whatever moves it. */
static bool check_activity_member(const struct node_member *member, struct slice type, const struct node *defaults,
                                  struct test_schemas *schemas, struct diags *diags)
{
	if (node_is_empty(member->value) && defaults != NULL && node_find(defaults, member->key->text) != NULL)
		return true;
	for (size_t at = 0; lifecycle_member(at) != NULL; at++)
		if (slice_is(member->key->text, lifecycle_member(at)))
			return true;
	return test_schema_check(schemas, type, member, diags);
}

bool test_check_activity(const struct node *activity, const struct node *defaults, struct test_schemas *schemas,
                         struct diags *diags)
{
	const struct node *type = node_get(activity, "type");
	struct slice name;
	if (type == NULL && defaults != NULL)
		type = node_get(defaults, "type");
	if (type == NULL)
		type = node_require(activity, "type", "an activity", diags);
	bool is_fine = type != NULL && node_read_text(type, "the type of an activity", diags, &name) &&
	               check_name(type, name, activity_type_at, "there is no activity", diags);
	if (!is_fine)
		return false;
	for (size_t i = 0; i < activity->count; i++)
		is_fine &= check_activity_member(&activity->members[i], name, defaults, schemas, diags);
	return is_fine;
}
