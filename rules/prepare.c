/* SPDX-License-Identifier: Apache-2.0
 *
 * A record before anything is known about the past: opened, read, checked, cleansed, with its identity keys.
 */
#include "rules/prepared.h"

#include <assert.h>

#include "rules/base/arena.h"
#include "rules/base/hash.h"
#include "rules/base/utf8.h"
#include "rules/cleanse.h"
#include "rules/company.h"
#include "rules/intake.h"
#include "rules/lead_scan.h"
#include "rules/model.h"
#include "rules/stages.h"
#include "rules/state.h"
#include "rules/text/email.h"
#include "rules/text/normalise.h"
#include "rules/text/phone.h"

enum { PHONE_DIGITS_MIN = 7 }; /* fewer are no number that reaches a person */

/* ---- tenant */

static bool is_tenant(const struct model *model, struct slice name)
{
	for (size_t i = 0; i < model->tenant_count; i++)
		if (slice_equal(model->tenants[i], name))
			return true;
	return false;
}

/* The tenant that the body names, else the record's key. Nothing of it is quoted: a wrong key may be anything. */
static int check_tenant(struct prepared *prepared, struct slice *inout_tenant)
{
	const struct record *record = prepared->record;
	if (prepared->model->tenant_count == 0)
		return 0;
	if (inout_tenant->len == 0 && record->has_key)
		*inout_tenant = record->key;
	if (inout_tenant->len == 0)
		return err_set_at(&prepared->err, ERR_MISSING_TENANT, "tenant", "neither the data nor the key names a tenant");
	if (!is_tenant(prepared->model, *inout_tenant))
		return err_set_at(&prepared->err, ERR_UNKNOWN_TENANT, "tenant", "the tenant is not configured");
	if (record->partition_count <= 0)
		return 0;
	int32_t partition = rules_partition_of(*inout_tenant, record->partition_count);
	if (partition == record->partition)
		return 0;
	return err_set_at(&prepared->err, ERR_WRONG_PARTITION, "tenant", "belongs to partition %d of %d, came in %d",
	                  (int)partition, (int)record->partition_count, (int)record->partition);
}

/* ---- lead id */

/* The same input always gets the same id: from the event, else from where the record lies. */
static struct slice derived_lead_id(const struct prepared *prepared)
{
	const struct record *record = prepared->record;
	struct slice place = slice_of(arena_printf(prepared->arena, "%.*s/%d/%lld/%lld", SLICE_ARG(record->topic),
	                                           (int)record->partition, (long long)record->offset,
	                                           (long long)record->timestamp_ms));
	const struct slice event[] = {SLICE("event"), prepared->envelope.source, prepared->envelope.id};
	const struct slice position[] = {SLICE("record"), place};
	uint8_t digest[SHA256_BYTES];
	if (prepared->envelope.id.len != 0)
		hash_sha256_parts(event, 3, digest);
	else
		hash_sha256_parts(position, 2, digest);
	char text[23];
	hash_base64url(digest, 16, text);
	return slice_of(arena_printf(prepared->arena, "lr-%s", text));
}

static int check_lead_id(struct prepared *prepared)
{
	struct lead *lead = &prepared->lead;
	prepared->has_own_lead_id = lead->lead_id.len != 0;
	if (!prepared->has_own_lead_id)
		lead->lead_id = derived_lead_id(prepared);
	if (!state_is_lead_id(lead->lead_id))
		return err_set_at(&prepared->err, ERR_BAD_LEAD_ID, "lead_id", "not 1 to 64 of A-Z a-z 0-9 . _ : -");
	return 0;
}

/* ---- stages of a lead */

static int check_type(struct prepared *prepared)
{
	static const struct slice suffix = {".lead.captured", sizeof ".lead.captured" - 1};
	struct slice type = prepared->envelope.type;
	if (type.len == 0 || slice_is(type, "lead.captured"))
		return 0;
	if (type.len > suffix.len &&
	    slice_equal((struct slice){type.p + type.len - suffix.len, suffix.len}, suffix))
		return 0; /* "com.example.lead.captured" */
	return err_set_at(&prepared->err, ERR_UNKNOWN_TYPE, "type", "this topic takes lead.captured only");
}

static enum step reject(struct prepared *prepared)
{
	prepared->kind = PREPARED_REJECT;
	return STEP_DONE;
}

/* Nothing is left to read of a lead that was taken as it stood. */
static int read_data(struct prepared *prepared)
{
	if (prepared->envelope.data == NULL)
		return 0;
	lead_init(&prepared->lead);
	return lead_read(prepared->envelope.data, prepared->arena, &prepared->lead, &prepared->changes, &prepared->err);
}

static enum step stage_validate(struct prepared *prepared)
{
	struct lead *lead = &prepared->lead;
	if (check_type(prepared) != 0 ||
	    read_data(prepared) != 0 ||
	    check_tenant(prepared, &lead->tenant) != 0 || check_lead_id(prepared) != 0)
		return reject(prepared);
	if (!lead_has_contact(lead)) {
		err_set_at(&prepared->err, ERR_NO_CONTACT, "contact", "neither e-mail nor phone nor wechat is given");
		return reject(prepared);
	}
	if (!lead->captured_at.is_set)
		lead->captured_at = (struct lead_int){true, prepared->now_ms};
	return STEP_NEXT;
}

static const char *missing_field(const struct model *model, const struct lead *lead)
{
	if (model->require_email && lead->contact.email.len == 0)
		return "contact.email";
	if (model->require_phone && lead->contact.phone.len == 0)
		return "contact.phone";
	if (model->require_company && lead->company.name.len == 0)
		return "company.name";
	return NULL;
}

/* The company's domain is the one that is given, else that of the e-mail address. */
static void make_company_identity(struct prepared *prepared, const struct match_keys *keys)
{
	const struct model *model = prepared->model;
	const struct lead_company *company = &prepared->lead.company;
	struct slice *made = prepared->identity.keys;
	struct slice domain = company_domain_key(&model->dedup, company->domain, prepared->arena);
	if (domain.len == 0)
		domain = company_domain_key(&model->dedup, keys->email_domain, prepared->arena);
	made[IDENTITY_DOMAIN] = identity_key(model, IDENTITY_DOMAIN, COMPANY_NORMALISER_VERSION, domain, prepared->arena);
	made[IDENTITY_COMPANY] = identity_key(model, IDENTITY_COMPANY, COMPANY_NORMALISER_VERSION,
	                                      company_name_key(company->name, prepared->arena), prepared->arena);
}

static void make_identity(struct prepared *prepared, const struct match_keys *keys)
{
	const struct model *model = prepared->model;
	struct identity *identity = &prepared->identity;
	struct slice event = identity_event(prepared->envelope.source, prepared->envelope.id, prepared->arena);
	if (prepared->envelope.id.len != 0)
		identity->keys[IDENTITY_EVENT] = identity_key(model, IDENTITY_EVENT, 1, event, prepared->arena);
	if (prepared->has_own_lead_id)
		identity->keys[IDENTITY_LEAD] = identity_key(model, IDENTITY_LEAD, 1, prepared->lead.lead_id, prepared->arena);
	if (model->dedup.windows[DEDUP_EMAIL].is_on)
		identity->keys[IDENTITY_EMAIL] =
			identity_key(model, IDENTITY_EMAIL, EMAIL_NORMALISER_VERSION, keys->email, prepared->arena);
	if (model->dedup.windows[DEDUP_PHONE].is_on)
		identity->keys[IDENTITY_PHONE] =
			identity_key(model, IDENTITY_PHONE, PHONE_NORMALISER_VERSION, keys->phone, prepared->arena);
	if (model->dedup.has_company_keys)
		make_company_identity(prepared, keys);
}

/* Digits of `text` without leading zeros; what does not fit is left out. */
static size_t digits_of(struct slice text, char ret_digits[LEAD_ID_BYTES_MAX])
{
	size_t count = 0;
	for (size_t i = 0; i < text.len && text.p[i] != ';' && count < LEAD_ID_BYTES_MAX; i++) { /* ";ext=12" */
		char c = text.p[i];
		if (c >= '0' && c <= '9' && (c != '0' || count != 0))
			ret_digits[count++] = c;
	}
	return count;
}

/* Lead ids name Redis keys, and many CRMs number their leads: digits alone say nothing. But an id that ends in the
 * person's own number, with or without the country code, is contact data (law 10). */
static bool is_own_phone(struct slice lead_id, struct slice phone)
{
	char id[LEAD_ID_BYTES_MAX], number[LEAD_ID_BYTES_MAX];
	size_t id_len = digits_of(lead_id, id), len = digits_of(phone, number), shorter = id_len < len ? id_len : len;
	return shorter >= PHONE_DIGITS_MIN && memcmp(id + id_len - shorter, number + len - shorter, shorter) == 0;
}

static enum step stage_cleanse(struct prepared *prepared)
{
	struct match_keys keys;
	cleanse_lead(prepared->model, &prepared->lead, prepared->arena, &prepared->changes, &keys);
	if (!lead_has_contact(&prepared->lead)) {
		err_set_at(&prepared->err, ERR_BAD_CONTACT, "contact", "no usable way to reach the person is left");
		return reject(prepared);
	}
	const struct lead_contact *contact = &prepared->lead.contact;
	if (prepared->has_own_lead_id && is_own_phone(prepared->lead.lead_id, contact->phone)) {
		err_set_at(&prepared->err, ERR_BAD_LEAD_ID, "lead_id", "it is the phone number of the person");
		return reject(prepared);
	}
	if (intake_check(prepared, &keys) != 0)
		return reject(prepared);
	const char *missing = missing_field(prepared->model, &prepared->lead);
	if (missing != NULL) {
		err_set_at(&prepared->err, ERR_MISSING_FIELD, missing, "the configuration requires this field");
		return reject(prepared);
	}
	if (keys.phone_verdict != NULL)
		rules_add_fact_text(prepared, "phone.verdict", slice_of(keys.phone_verdict));
	make_identity(prepared, &keys);
	return STEP_NEXT;
}

static enum step (*const stages[])(struct prepared *) = {
#define X(name) stage_##name,
	PREPARE_STAGES(X)
#undef X
};

static void prepare_lead(struct prepared *prepared)
{
	prepared->kind = PREPARED_LEAD;
	for (size_t i = 0; i < sizeof stages / sizeof *stages; i++)
		if (stages[i](prepared) == STEP_DONE)
			return;
}

static void prepare_activity(struct prepared *prepared)
{
	struct envelope *envelope = &prepared->envelope;
	prepared->kind = PREPARED_ACTIVITY;
	if (activity_read(envelope->type, envelope->data, prepared->arena, &prepared->activity, &prepared->err) != 0 ||
	    check_tenant(prepared, &prepared->activity.tenant) != 0) {
		reject(prepared);
		return;
	}
	prepared->mark = identity_mark(prepared->model, identity_event(envelope->source, envelope->id, prepared->arena),
	                               prepared->arena);
}

static bool take_lead(void *ctx, struct slice bytes)
{
	struct prepared *prepared = ctx;
	if (prepared->record->kind != RECORD_CAPTURED)
		return false;
	lead_init(&prepared->lead);
	return lead_scan(bytes, prepared->arena, &prepared->lead);
}

/* All zero but for the rows behind the counts of changes and facts: they are most of its bytes and read by nobody. */
static struct prepared *prepared_new(struct arena *arena)
{
	struct prepared *prepared = arena_raw(arena, sizeof *prepared);
	const size_t rows = offsetof(struct prepared, changes.items), rest = offsetof(struct prepared, changes.count);
	memset(prepared, 0, rows);
	memset((char *)prepared + rest, 0, offsetof(struct prepared, facts.entries) - rest);
	memset((char *)prepared + offsetof(struct prepared, facts.count), 0,
	       sizeof *prepared - offsetof(struct prepared, facts.count));
	return prepared;
}

struct prepared *rules_prepare(const struct model *model, const struct record *record, int64_t now_ms,
                               struct arena *arena)
{
	struct prepared *prepared = prepared_new(arena);
	prepared->model = model;
	prepared->record = record;
	prepared->arena = arena;
	prepared->now_ms = now_ms;
	const struct data_taker taker = {take_lead, prepared};
	if (cloudevents_open(record, &taker, arena, &prepared->envelope, &prepared->err) != 0)
		prepared->kind = PREPARED_REJECT;
	else if (record->kind == RECORD_CAPTURED)
		prepare_lead(prepared);
	else
		prepare_activity(prepared);
	return prepared;
}

size_t rules_wants(const struct prepared *prepared, struct slice ret_keys[RULES_WANTS_MAX])
{
	size_t count = 0;
	if (prepared->kind == PREPARED_ACTIVITY && prepared->activity.about == ABOUT_LEAD)
		ret_keys[count++] = state_lead_key(prepared->arena, prepared->activity.lead_id);
	if (count != 0 && prepared->activity.other.len != 0)
		ret_keys[count++] = state_lead_key(prepared->arena, prepared->activity.other);
	if (prepared->kind != PREPARED_LEAD)
		return count;
	ret_keys[count++] = state_lead_key(prepared->arena, prepared->lead.lead_id);
	for (int kind = 0; kind < IDENTITY_KINDS; kind++)
		if (prepared->identity.keys[kind].len != 0)
			ret_keys[count++] = prepared->identity.keys[kind];
	return count;
}

/* ---- plug-ins */

bool rules_is_lead(const struct prepared *prepared)
{
	return prepared->kind == PREPARED_LEAD;
}

struct slice rules_field(const struct prepared *prepared, const char *path)
{
	const struct schema_row *row = schema_find(slice_of(path));
	if (prepared->kind != PREPARED_LEAD || row == NULL || row->kind != SCHEMA_TEXT)
		return SLICE_NONE;
	struct slice text = schema_text_of(&prepared->lead, row);
	return text.len != 0 ? text : SLICE_NONE;
}

static int add_fact(struct prepared *prepared, const char *name, struct cel_value value)
{
	struct facts *facts = &prepared->facts;
	size_t len = strlen(name);
	if (len == 0 || len > FACT_NAME_BYTES_MAX)
		return -1;
	struct slice key = {arena_memdupz(prepared->arena, name, len), len};
	for (size_t i = 0; i < facts->count; i++)
		if (slice_equal(cel_slice(facts->entries[i].key), key)) { /* the later answer counts */
			facts->entries[i].value = value;
			return 0;
		}
	if (facts->count == FACTS_MAX)
		return -1;
	facts->entries[facts->count++] = (struct cel_entry){cel_string(key), value};
	return 0;
}

int rules_add_fact_bool(struct prepared *prepared, const char *name, bool value)
{
	return add_fact(prepared, name, cel_bool(value));
}

int rules_add_fact_text(struct prepared *prepared, const char *name, struct slice value)
{
	if (value.len > FACT_TEXT_BYTES_MAX || utf8_first_bad(value) != value.len)
		return -1;
	struct slice copy = {arena_memdupz(prepared->arena, value.len ? value.p : "", value.len), value.len};
	return add_fact(prepared, name, cel_string(copy));
}

int rules_add_fact_int(struct prepared *prepared, const char *name, int64_t value)
{
	return add_fact(prepared, name, cel_int(value));
}

bool rules_fill_field(struct prepared *prepared, const char *path, struct slice value, const char *plugin)
{
	const struct schema_row *row = schema_find(slice_of(path));
	if (prepared->kind != PREPARED_LEAD || row == NULL || row->kind != SCHEMA_TEXT || value.len == 0 ||
	    value.len > row->bytes_max || utf8_first_bad(value) != value.len)
		return false;
	struct slice *field = schema_text(&prepared->lead, row);
	if (field->len != 0 || field == &prepared->lead.lead_id || field == &prepared->lead.tenant)
		return false;
	struct slice copy = {arena_memdupz(prepared->arena, value.p, value.len), value.len};
	*field = text_clean(prepared->arena, copy);
	changes_add(&prepared->changes, (struct change){
						.field = row->path,
						.what = "filled",
						.to = cleanse_shown(row, *field, prepared->arena),
						.by = arena_strdup(prepared->arena, plugin),
					});
	return true;
}
