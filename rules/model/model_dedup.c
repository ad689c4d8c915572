/* SPDX-License-Identifier: Apache-2.0
 *
 * Section dedup.
 */
#include <stdlib.h>

#include "rules/base/err.h"
#include "rules/base/suggest.h"
#include "rules/calendar/span.h"
#include "rules/model/model_build.h"
#include "rules/text/normalise.h"

enum { SECRET_BYTES_MIN = 32 };

static const int64_t DAY_MS = 86400000;
static const char *const key_names[DEDUP_KEYS + 1] = {
	[DEDUP_EMAIL] = "email", [DEDUP_PHONE] = "phone", [DEDUP_COMPANY] = "company"};

const char *returning_policy_name(enum returning_policy policy)
{
	static const char *const names[] = {
#define X(id, name) name,
		RETURNING_POLICIES(X)
#undef X
	};
	return policy < RETURNING_POLICY_COUNT ? names[policy] : "?";
}

/* ---- keys and windows */

/* Deduplication looks back over elapsed time: business time would make two leads duplicates depending on a calendar. */
static bool read_plain_span(struct model_builder *builder, const struct node *node, const char *what, bool can_be_forever,
                            int64_t *ret_ms)
{
	struct slice text;
	struct span span;
	struct err err = ERR_INIT;
	if (!node_read_text(node, what, builder->diags, &text))
		return false;
	if (can_be_forever && slice_is(text, "forever")) {
		*ret_ms = 0;
		return true;
	}
	if (span_parse(text, &span, &err) != 0) {
		diags_add(builder->diags, err.code, node->span, "%s", err.text);
		return false;
	}
	if (span.business_days != 0 || span.business_ms != 0 || span_is_zero(&span)) {
		diags_add(builder->diags, ERR_BAD_SPAN, node->span, "%s is plain time (90d, 12h)%s", what,
		          can_be_forever ? " or `forever`" : "");
		return false;
	}
	*ret_ms = span.days * DAY_MS + span.elapsed_ms;
	return true;
}

/* `keys`: each key with its own window. */
static void read_keys(struct model_builder *builder, const struct node *keys)
{
	struct dedup_window *windows = builder->model->dedup.windows;
	if (!node_expect_mapping(keys, "dedup.keys", builder->diags))
		return;
	node_check_keys(keys, key_names, "dedup.keys", builder->diags);
	for (int key = 0; key < DEDUP_KEYS; key++) {
		const struct node *window = node_get(keys, key_names[key]);
		windows[key].is_on = window != NULL;
		if (window != NULL)
			read_plain_span(builder, window, "the window of a key", true, &windows[key].ms);
	}
}

static int find_key(struct slice name)
{
	int key = 0;
	while (key < DEDUP_KEYS && !slice_is(name, key_names[key]))
		key++;
	return key;
}

static void read_by(struct model_builder *builder, const struct node *list)
{
	struct dedup_window *windows = builder->model->dedup.windows;
	if (!node_expect_sequence(list, "dedup.by", builder->diags))
		return;
	for (int key = 0; key < DEDUP_KEYS; key++)
		windows[key].is_on = false;
	for (size_t i = 0; i < list->count; i++) {
		struct slice text;
		if (!node_read_text(list->items[i], "dedup.by", builder->diags, &text))
			continue;
		int key = find_key(text);
		if (key < DEDUP_KEYS) {
			windows[key].is_on = true;
			continue;
		}
		struct suggest suggest = suggest_for(text);
		for (key = 0; key < DEDUP_KEYS; key++)
			suggest_offer(&suggest, slice_of(key_names[key]));
		struct diag *diag = diags_add(builder->diags, ERR_BAD_VALUE, list->items[i]->span, "dedup.by cannot have `%.*s`",
		                              SLICE_ARG(text));
		diag_did_you_mean(builder->diags, diag, suggest.best);
	}
}

/* The short form: one window, and by what. */
static void read_window_and_by(struct model_builder *builder, const struct node *window, const struct node *by)
{
	struct dedup_window *windows = builder->model->dedup.windows;
	int64_t window_ms = 0;
	windows[DEDUP_EMAIL].is_on = windows[DEDUP_PHONE].is_on = true;
	if (by != NULL)
		read_by(builder, by);
	if (window == NULL || !read_plain_span(builder, window, "dedup.window", true, &window_ms))
		return;
	for (int key = 0; key < DEDUP_KEYS; key++)
		windows[key].ms = window_ms;
}

static void read_windows(struct model_builder *builder, const struct node *section)
{
	const struct node *keys = node_get(section, "keys"), *window = node_get(section, "window"), *by = node_get(section, "by");
	const struct node *other = window != NULL ? window : by;
	if (keys == NULL) {
		read_window_and_by(builder, window, by);
		return;
	}
	read_keys(builder, keys);
	if (other == NULL)
		return;
	struct diag *diag = diags_add(builder->diags, ERR_DEDUP_TWICE, other->span, "`%s` is the short form of `keys`: have one of them",
	                              other == window ? "window" : "by");
	diag_second(builder->diags, diag, keys->span, "the keys and their windows are here");
}

/* ---- those who come back */

static void bad_policy(struct model_builder *builder, const struct node *node, struct slice text)
{
	struct suggest suggest = suggest_for(text);
	for (int policy = 0; policy < RETURNING_POLICY_COUNT; policy++)
		suggest_offer(&suggest, slice_of(returning_policy_name((enum returning_policy)policy)));
	struct diag *diag = diags_add(builder->diags, ERR_BAD_VALUE, node->span, "dedup.returning cannot be `%.*s`",
	                              SLICE_ARG(text));
	diag_did_you_mean(builder->diags, diag, suggest.best);
}

/* A word, or {same_owner_within: 90d}. */
static void read_returning(struct model_builder *builder, const struct node *node)
{
	static const char *const known[] = {"same_owner_within", NULL};
	struct dedup_rules *rules = &builder->model->dedup;
	struct slice text;
	if (node->kind == NODE_MAPPING) {
		const struct node *within = node_get(node, known[0]);
		node_check_keys(node, known, "dedup.returning", builder->diags);
		rules->returning = RETURNING_WITHIN;
		if (within != NULL)
			read_plain_span(builder, within, "dedup.returning.same_owner_within", false, &rules->within_ms);
		else
			diags_add(builder->diags, ERR_MISSING_KEY, node->span, "dedup.returning needs `same_owner_within`, or is one word");
		return;
	}
	if (!node_read_text(node, "dedup.returning", builder->diags, &text))
		return;
	int policy = 0;
	while (policy < RETURNING_POLICY_COUNT && !slice_is(text, returning_policy_name((enum returning_policy)policy)))
		policy++;
	if (policy == RETURNING_WITHIN)
		diags_add(builder->diags, ERR_BAD_SPAN, node->span, "within what time? returning: {same_owner_within: 90d}");
	else if (policy == RETURNING_POLICY_COUNT)
		bad_policy(builder, node, text);
	else
		rules->returning = (enum returning_policy)policy;
}

static void read_absent(struct model_builder *builder, const struct node *node)
{
	struct slice text;
	if (!node_read_text(node, "dedup.owner_absent", builder->diags, &text))
		return;
	builder->model->dedup.is_absent_unassigned = slice_is(text, "unassigned");
	if (!slice_is(text, "unassigned") && !slice_is(text, "reroute"))
		diags_add(builder->diags, ERR_BAD_VALUE, node->span, "dedup.owner_absent is `reroute` or `unassigned`");
}

static int by_bytes(const void *left, const void *right)
{
	return slice_compare(*(const struct slice *)left, *(const struct slice *)right);
}

static void read_public_mail(struct model_builder *builder, const struct node *list)
{
	struct dedup_rules *rules = &builder->model->dedup;
	if (!node_expect_sequence(list, "dedup.public_mail", builder->diags))
		return;
	if (list->count > DEDUP_PUBLIC_MAIL_MAX) {
		diags_add(builder->diags, ERR_TOO_MANY, list->span, "more than %d public mail domains", DEDUP_PUBLIC_MAIL_MAX);
		return;
	}
	struct slice *domains = arena_array(builder->arena, list->count, sizeof *domains), text;
	for (size_t i = 0; i < list->count; i++)
		if (node_read_text(list->items[i], "a public mail domain", builder->diags, &text))
			domains[rules->public_mail_count++] = text_fold(builder->arena, text);
	qsort(domains, rules->public_mail_count, sizeof *domains, by_bytes);
	rules->public_mail = domains;
}

/* ---- the key of identities */

static void read_secret(struct model_builder *builder, const struct node *node)
{
	struct slice path, bytes;
	struct err err = ERR_INIT;
	struct diag *diag;
	if (!node_read_text(node, "dedup.identity_key_file", builder->diags, &path))
		return;
	if (builder->files->read(builder->files->ctx, path, true, builder->arena, &bytes, &err) != 0) {
		diag = diags_add(builder->diags, err.code, node->span, "%s", err.text);
		if (err.code == ERR_CONFIG_READ)
			diag_help(builder->diags, diag, "make one: (umask 077; head -c 32 /dev/urandom | base64 > identity.key)");
		return;
	}
	while (bytes.len > 0 && strchr("\r\n", bytes.p[bytes.len - 1]) != NULL)
		bytes.len--;
	if (bytes.len < SECRET_BYTES_MIN) {
		diag = diags_add(builder->diags, ERR_WEAK_KEY, node->span, "the identity key has %zu bytes, at least %d are needed",
		                 bytes.len, SECRET_BYTES_MIN);
		diag_help(builder->diags, diag, "make one: (umask 077; head -c 32 /dev/urandom | base64 > identity.key)");
		return;
	}
	model_set_secret(builder->model, bytes);
}

static void read_key_id(struct model_builder *builder, const struct node *node)
{
	struct slice text;
	builder->model->identity_key_id = SLICE("k1");
	if (node == NULL || !node_read_text(node, "dedup.identity_key_id", builder->diags, &text))
		return;
	bool is_fine = text.len <= MODEL_KEY_ID_BYTES_MAX;
	for (size_t i = 0; is_fine && i < text.len; i++)
		is_fine = (text.p[i] >= 'a' && text.p[i] <= 'z') || (text.p[i] >= '0' && text.p[i] <= '9');
	if (is_fine)
		builder->model->identity_key_id = text;
	else
		diags_add(builder->diags, ERR_BAD_NAME, node->span, "dedup.identity_key_id is 1 to 8 of a-z and 0-9");
}

void model_build_dedup(struct model_builder *builder)
{
	static const char *const known[] = {"keys",      "window",       "by",          "gmail_dots",        "plus_tag",
	                                    "returning", "owner_absent", "public_mail", "identity_key_file", "identity_key_id",
	                                    NULL};
	struct model *model = builder->model;
	const struct node *section = model_section(builder, "dedup", NODE_MAPPING), *written = node_get(builder->root, "dedup");
	bool has_section = written != NULL && !node_is_empty(written);
	const struct node *gmail = node_get(section, "gmail_dots"), *plus = node_get(section, "plus_tag");
	const struct node *returning = node_get(section, "returning"), *absent = node_get(section, "owner_absent");
	const struct node *public_mail = node_get(section, "public_mail");
	if (section != NULL)
		node_check_keys(section, known, "dedup", builder->diags);
	read_windows(builder, section);
	model->dedup.has_company_keys = model->dedup.windows[DEDUP_COMPANY].is_on;
	if (returning != NULL)
		read_returning(builder, returning);
	if (absent != NULL)
		read_absent(builder, absent);
	if (public_mail != NULL)
		read_public_mail(builder, public_mail);
	if (gmail != NULL)
		node_read_bool(gmail, "dedup.gmail_dots", builder->diags, &model->match_gmail_dots);
	if (plus != NULL)
		node_read_bool(plus, "dedup.plus_tag", builder->diags, &model->match_plus_tag);
	read_key_id(builder, node_get(section, "identity_key_id"));
	const struct node *secret = node_get(section, "identity_key_file");
	if (secret != NULL)
		read_secret(builder, secret);
	else if (section != NULL || !has_section)
		diags_add(builder->diags, ERR_MISSING_KEY, section ? section->span : builder->root->span,
		          "dedup needs an `identity_key_file`: e-mails and phones are kept as digests under that key only");
}
