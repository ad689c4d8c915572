/* SPDX-License-Identifier: Apache-2.0
 *
 * The names in a piece of an expression and what they stand for. They are found in the text, as a reader finds them: a
 * declared name and what is selected from it (lead.company.employees, facts["geo.country"]), up to a call. Each is then
 * evaluated by itself.
 */
#include "rules/story/detail.h"

#include "rules/base/strbuf.h"
#include "rules/cel/lex.h"
#include "rules/cel/value.h"
#include "rules/cleanse.h"
#include "rules/text/mask.h"

enum { VALUES_MAX = 8, VALUE_BYTES_MAX = 200, TOKENS_MAX = 4096, VALUE_STEPS = 10000 };

struct finding {
	const struct cel_env *env;
	const struct cel_value *slots;
	struct arena *scratch;
	bool is_unmasked;
	struct token *tokens;
	size_t count;
	struct slice names[VALUES_MAX];
	size_t name_count;
};

static void read_tokens(struct finding *finding, struct slice text)
{
	struct cel_issues issues = {0};
	struct lexer lexer = {.text = text, .issues = &issues, .arena = finding->scratch};
	finding->tokens = arena_array(finding->scratch, TOKENS_MAX, sizeof *finding->tokens);
	while (finding->count < TOKENS_MAX - 1) {
		finding->tokens[finding->count] = lex_next(&lexer);
		if (finding->tokens[finding->count].kind == TOKEN_END)
			return;
		finding->count++;
	}
	finding->tokens[finding->count].kind = TOKEN_END;
}

static bool is_declared(const struct cel_env *env, struct slice name)
{
	for (size_t i = 0; i < env->variable_count; i++)
		if (slice_is(name, env->variables[i].name))
			return true;
	return false;
}

/* Behind the last token of the name that begins at `at`. */
static size_t end_of_name(const struct finding *finding, size_t at)
{
	const struct token *tokens = finding->tokens;
	for (at++; at + 2 < finding->count + 1;) {
		bool is_field = tokens[at].kind == TOKEN_DOT && tokens[at + 1].kind == TOKEN_NAME &&
		                (at + 2 >= finding->count || tokens[at + 2].kind != TOKEN_OPEN_PAREN);
		bool is_index = at + 2 < finding->count && tokens[at].kind == TOKEN_OPEN_BRACKET &&
		                (tokens[at + 1].kind == TOKEN_STRING || tokens[at + 1].kind == TOKEN_INT) &&
		                tokens[at + 2].kind == TOKEN_CLOSE_BRACKET;
		if (!is_field && !is_index)
			break;
		at += is_field ? 2 : 3;
	}
	return at;
}

static bool is_listed(const struct finding *finding, struct slice name)
{
	for (size_t i = 0; i < finding->name_count; i++)
		if (slice_equal(finding->names[i], name))
			return true;
	return false;
}

static void find_names(struct finding *finding, struct slice text)
{
	const struct token *tokens = finding->tokens;
	for (size_t i = 0; i < finding->count && finding->name_count < VALUES_MAX; i++) {
		bool is_selected = i > 0 && tokens[i - 1].kind == TOKEN_DOT;
		if (tokens[i].kind != TOKEN_NAME || is_selected || !is_declared(finding->env, tokens[i].text))
			continue;
		size_t last = end_of_name(finding, i) - 1;
		size_t end = tokens[last].span.offset + tokens[last].span.length;
		const struct slice name = {text.p + tokens[i].span.offset, end - tokens[i].span.offset};
		if (!is_listed(finding, name))
			finding->names[finding->name_count++] = name;
		i = last;
	}
}

static struct cel_value evaluate(const struct finding *finding, struct slice text)
{
	struct cel_env env = *finding->env;
	struct cel_issues issues;
	struct cel_program *program = NULL;
	env.is_lenient = true;
	if (cel_compile(&env, text, NULL, finding->scratch, &issues, &program) != 0)
		return (struct cel_value){.kind = CEL_ERROR};
	struct cel_value value = cel_eval(program, finding->slots, finding->scratch, VALUE_STEPS);
	cel_program_done(program);
	return value;
}

static bool is_absent(const struct finding *finding, struct slice name)
{
	struct cel_value has = evaluate(finding, ARENA_JOIN(finding->scratch, SLICE("has("), name, SLICE(")")));
	return has.kind == CEL_BOOL && !has.as.boolean;
}

/* The row of the lead's field that a name reads or reads from; NULL when it is none. */
static const struct schema_row *row_of(struct slice name)
{
	if (!slice_has_prefix(name, SLICE("lead.")))
		return NULL;
	struct slice path = {name.p + 5, name.len - 5};
	const struct schema_row *row = NULL;
	for (size_t len = 1; len <= path.len; len++)
		if (len == path.len || path.p[len] == '.' || path.p[len] == '[') {
			const struct schema_row *found = schema_find((struct slice){path.p, len});
			row = found != NULL ? found : row;
		}
	return row;
}

static void print_value(const struct finding *finding, struct slice name, struct cel_value value, struct strbuf *out)
{
	struct strbuf literal = STRBUF_INIT;
	const struct schema_row *row = row_of(name);
	if (!finding->is_unmasked && row != NULL && row->is_person && value.kind == CEL_STRING)
		value = cel_string(cleanse_shown(row, cel_slice(value), finding->scratch));
	cel_print(&literal, value);
	if (finding->is_unmasked)
		strbuf_append(out, literal.bytes, literal.len);
	else
		mask_text(out, (struct slice){literal.bytes, literal.len});
	strbuf_done(&literal);
}

static struct slice cut(struct slice text)
{
	if (text.len <= VALUE_BYTES_MAX)
		return text;
	text.len = VALUE_BYTES_MAX;
	while (text.len > 0 && ((unsigned char)text.p[text.len] & 0xC0) == 0x80)
		text.len--;
	return text;
}

static void put_value(struct json_writer *writer, const struct finding *finding, struct slice name)
{
	struct strbuf text = STRBUF_INIT;
	struct cel_value value = evaluate(finding, name);
	if (value.kind == CEL_OBJECT)
		return; /* a part of the lead says nothing by itself */
	json_open_object(writer, NULL);
	json_put_text(writer, "name", name);
	if (cel_is_error(value) || is_absent(finding, name)) {
		json_put_bool(writer, "absent", true);
	} else {
		print_value(finding, name, value, &text);
		json_put_text(writer, "value", cut((struct slice){strbuf_text(&text), text.len}));
	}
	json_close_object(writer);
	strbuf_done(&text);
}

void detail_put_values(struct json_writer *writer, const struct cel_env *env, const struct cel_value *slots,
                       struct slice text, bool is_unmasked, struct arena *scratch)
{
	struct finding finding = {.env = env, .slots = slots, .scratch = scratch, .is_unmasked = is_unmasked};
	read_tokens(&finding, text);
	find_names(&finding, text);
	if (finding.name_count == 0)
		return;
	json_open_array(writer, "values");
	for (size_t i = 0; i < finding.name_count; i++)
		put_value(writer, &finding, finding.names[i]);
	json_close_array(writer);
}
