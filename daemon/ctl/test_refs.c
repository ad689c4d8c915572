/* SPDX-License-Identifier: Apache-2.0
 *
 * Names that a test gives to what its rules define: reps and teams of what is stored before, facts that a condition reads. One
 * that the rules do not know would make a test that shows nothing.
 */
#include "daemon/ctl/test.h"
#include "rules/base/diag.h"
#include "rules/base/suggest.h"
#include "rules/json/tree.h"
#include "rules/model.h"

struct refs {
	const struct test_case *test;
	const struct test_rules *rules;
	struct diags *diags;
};

static void refuse(const struct refs *refs, const struct node *node, const char *what, struct slice name,
		   struct slice best)
{
	struct diag *diag =
		diags_add(refs->diags, ERR_UNKNOWN_REFERENCE, node->span, "%s `%.*s`", what, SLICE_ARG(name));
	diag_did_you_mean(refs->diags, diag, best);
}

/* ---- reps and teams */

static void check_rep(const struct refs *refs, const struct node *node, struct slice id)
{
	const struct model *model = refs->rules->model;
	struct suggest suggest = suggest_for(id);
	if (model_find_rep(model, id) != SIZE_MAX)
		return;
	for (size_t i = 0; i < model->rep_count; i++)
		suggest_offer(&suggest, model->reps[i].id);
	refuse(refs, node, "the rules have no rep", id, suggest.best);
}

static void check_team(const struct refs *refs, const struct node *node, struct slice id)
{
	const struct model *model = refs->rules->model;
	struct suggest suggest = suggest_for(id);
	if (model_find_team(model, id) != SIZE_MAX)
		return;
	for (size_t i = 0; i < model->team_count; i++)
		suggest_offer(&suggest, model->teams[i].id);
	refuse(refs, node, "the rules have no team", id, suggest.best);
}

typedef void check_ref(const struct refs *refs, const struct node *node, struct slice id);

static void check_each(const struct refs *refs, const struct node *value, check_ref *check)
{
	for (size_t i = 0; value->kind == NODE_SEQUENCE && i < value->count; i++)
		check_each(refs, value->items[i], check);
	if (value->kind == NODE_SCALAR && !node_is_empty(value))
		check(refs, value, value->text);
}

static void check_lead(const struct refs *refs, const struct node *lead)
{
	static const struct {
		const char *member;
		check_ref *check;
	} rows[] = {{"owner", check_rep},    {"cand", check_rep},  {"prev", check_rep},
		    {"familiar", check_rep}, {"tried", check_rep}, {"team", check_team}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct node *value = node_get(lead, rows[i].member);
		if (value != NULL)
			check_each(refs, value, rows[i].check);
	}
}

/* "ring/<team>…", "mem/seat/<team>/…", "mem/rep/<rep>", "mem/held/<rep>" */
static void check_key(const struct refs *refs, const struct node *key)
{
	static const struct {
		struct slice prefix;
		check_ref *check;
	} rows[] = {{{"ring/", 5}, check_team},
		    {{"mem/seat/", 9}, check_team},
		    {{"mem/rep/", 8}, check_rep},
		    {{"mem/held/", 9}, check_rep}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (!slice_has_prefix(key->text, rows[i].prefix))
			continue;
		struct slice id = {key->text.p + rows[i].prefix.len, key->text.len - rows[i].prefix.len};
		const char *slash = memchr(id.p, '/', id.len);
		rows[i].check(refs, key, slash != NULL ? (struct slice){id.p, (size_t)(slash - id.p)} : id);
	}
}

/* ---- facts */

struct fact_search {
	struct slice name;
	struct suggest suggest;
	bool is_found;
};

/* Conditions name facts in quotes: facts["geo.country"], "geo.country" in facts. One that goes over all facts reads any. */
static void search_text(struct fact_search *search, struct slice text)
{
	if (memmem(text.p, text.len, "facts", 5) == NULL)
		return;
	search->is_found |= memmem(text.p, text.len, "facts.", 6) != NULL;
	for (const char *at = text.p, *end = text.p + text.len; at < end; at++) {
		const char *close = *at == '"' || *at == '\'' ? memchr(at + 1, *at, (size_t)(end - at - 1)) : NULL;
		if (close == NULL)
			continue;
		struct slice quoted = {at + 1, (size_t)(close - at - 1)};
		search->is_found |= slice_equal(quoted, search->name);
		suggest_offer(&search->suggest, quoted);
		at = close;
	}
}

static void search_tree(struct fact_search *search, const struct node *node)
{
	if (node->kind == NODE_SCALAR)
		search_text(search, node->text);
	for (size_t i = 0; node->kind == NODE_SEQUENCE && i < node->count; i++)
		search_tree(search, node->items[i]);
	for (size_t i = 0; node->kind == NODE_MAPPING && i < node->count; i++)
		search_tree(search, node->members[i].value);
}

/* "geo.country" of a plug-in that is called geo: it may say what nobody reads. */
static bool is_of_plugin(const struct node *root, struct slice fact)
{
	const struct node *plugins = node_get(root, "plugins");
	for (size_t i = 0; plugins != NULL && plugins->kind == NODE_SEQUENCE && i < plugins->count; i++) {
		const struct node *name =
			plugins->items[i]->kind == NODE_MAPPING ? node_get(plugins->items[i], "name") : NULL;
		if (name != NULL && slice_has_prefix(fact, name->text) && fact.len > name->text.len &&
		    fact.p[name->text.len] == '.')
			return true;
	}
	return false;
}

static void check_fact(const struct refs *refs, const struct node *key)
{
	struct fact_search search = {.name = key->text, .suggest = suggest_for(key->text)};
	if (is_of_plugin(refs->rules->root, key->text))
		return;
	search_tree(&search, refs->rules->root);
	for (size_t i = 0; i < refs->test->step_count; i++)
		if (refs->test->steps[i].reload != NULL)
			search_tree(&search, refs->test->steps[i].reload);
	if (!search.is_found)
		refuse(refs, key, "no condition of the rules reads the fact", key->text, search.suggest.best);
}

bool test_check_refs(const struct test_case *test, const struct test_rules *rules, struct diags *diags)
{
	const struct refs refs = {test, rules, diags};
	size_t errors = diags_error_count(diags);
	for (size_t i = 0; test->leads != NULL && i < test->leads->count; i++)
		check_lead(&refs, test->leads->members[i].value);
	for (size_t i = 0; test->state != NULL && i < test->state->count; i++)
		check_key(&refs, test->state->members[i].key);
	for (size_t i = 0; i < test->step_count; i++)
		for (size_t f = 0; test->steps[i].facts != NULL && f < test->steps[i].facts->count; f++)
			check_fact(&refs, test->steps[i].facts->members[f].key);
	return diags_error_count(diags) == errors;
}
