/* SPDX-License-Identifier: Apache-2.0
 *
 * leadctl eval: an expression as rules write it, on leads from a file, or --jsonl, many questions to CEL as lines.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon/ctl/leads.h"
#include "daemon/ctl/lines.h"
#include "rules/base/diag.h"
#include "rules/calendar/instant.h"
#include "rules/cel/value.h"
#include "rules/eval_line.h"
#include "rules/json/json.h"
#include "rules/model.h"

/* ---- --jsonl */

static void put_answer(enum lines_step step, struct slice line, struct strbuf *out)
{
	strbuf_clear(out);
	if (step == LINES_TOO_LONG)
		eval_line_refuse("the line is too long", out);
	else
		eval_line(line, out);
	strbuf_putc(out, '\n');
}

/* Whoever asks line by line gets each answer at once. */
static int answer_lines(FILE *file)
{
	struct lines lines;
	struct strbuf out = STRBUF_INIT;
	struct slice line = SLICE_NONE;
	enum lines_step step;
	bool is_written = true;
	lines_init(&lines, file, EVAL_LINE_BYTES_MAX);
	while (is_written && ((step = lines_next(&lines, &line)) == LINES_LINE || step == LINES_TOO_LONG)) {
		put_answer(step, line, &out);
		is_written = fwrite(out.bytes, 1, out.len, stdout) == out.len && fflush(stdout) == 0;
	}
	lines_done(&lines);
	strbuf_done(&out);
	return is_written && !ferror(file) ? CTL_OK : CTL_FAILED;
}

/* ---- one expression */

struct question {
	const struct ctl_args *args;
	struct slice text;
	struct arena arena;
	const struct cel_program *program;
	uint64_t steps;
	bool names_leads; /* there are several */
	bool is_answered, has_failed;
};

static void complain(struct diags *diags)
{
	struct strbuf out = STRBUF_INIT;
	diags_render(diags, isatty(STDERR_FILENO), &out);
	fputs(strbuf_text(&out), stderr);
	strbuf_done(&out);
}

static void add_issue(struct diags *diags, const struct source *source, const struct cel_issue *issue)
{
	struct source_span span = {source, issue->offset, issue->length};
	struct diag *diag = issue->severity == CEL_REFUSED ? diags_add(diags, issue->code, span, "%s", issue->message)
	                                                   : diags_warn(diags, issue->code, span, "%s", issue->message);
	if (issue->help != NULL)
		diag_label(diags, diag, "%s", issue->help);
	if (issue->note != NULL)
		diag_note(diags, diag, "%s", issue->note);
}

static const struct source *source_of(struct question *question)
{
	return source_new(&question->arena, "expression", question->text);
}

/* Warnings are about conditions: whoever only asks for a value need not guard it. */
static int compile(struct question *question, const struct cel_env *env)
{
	struct cel_issues issues;
	struct cel_program *program = NULL;
	struct diags *diags = diags_new();
	int result = cel_compile(env, question->text, NULL, &question->arena, &issues, &program);
	bool is_condition = program != NULL && cel_program_type(program)->kind == CEL_BOOL;
	for (size_t i = 0; i < issues.count; i++)
		if (is_condition || issues.items[i].severity == CEL_REFUSED)
			add_issue(diags, source_of(question), &issues.items[i]);
	complain(diags);
	diags_free(diags);
	question->program = program;
	return result;
}

static void put_error(struct question *question, const struct cel_error *error)
{
	struct diags *diags = diags_new();
	question->has_failed = true;
	diags_add(diags, error->code, (struct source_span){source_of(question), error->offset, error->length}, "%s", error->text);
	complain(diags);
	diags_free(diags);
}

/* The checked type, or where that is dyn the value's own. */
static const char *type_of(struct question *question, struct cel_value value)
{
	const struct cel_type *type = cel_program_type(question->program);
	return type->kind == CEL_DYN ? cel_type_label(cel_type_of(value)) : cel_type_name(type, &question->arena);
}

static void put_json(struct question *question, struct slice lead_id, struct cel_value value, struct strbuf *out)
{
	struct strbuf typed = STRBUF_INIT;
	struct json_writer writer = JSON_WRITER(out);
	json_open_object(&writer, NULL);
	if (question->names_leads)
		json_put_text(&writer, "lead_id", lead_id);
	if (cel_is_error(value)) {
		json_put_text(&writer, "code", slice_of(err_number(value.as.error->code)));
		json_put_text(&writer, "error", slice_of(value.as.error->text));
	} else {
		cel_print_typed(&typed, value);
		json_put_text(&writer, "type", slice_of(type_of(question, value)));
		json_put_raw(&writer, "value", (struct slice){typed.bytes, typed.len});
	}
	json_close_object(&writer);
	strbuf_done(&typed);
}

static void answer(struct question *question, struct slice lead_id, const struct cel_value *slots, struct arena *scratch)
{
	struct strbuf out = STRBUF_INIT;
	struct cel_value value = cel_eval(question->program, slots, scratch, question->steps);
	question->is_answered = true;
	if (cel_is_error(value))
		put_error(question, value.as.error);
	if (question->args->json) {
		put_json(question, lead_id, value, &out);
	} else if (!cel_is_error(value)) {
		if (question->names_leads)
			strbuf_printf(&out, "%.*s  ", SLICE_ARG(lead_id));
		strbuf_printf(&out, "%s  ", type_of(question, value));
		cel_print(&out, value);
	}
	if (out.len > 0)
		puts(strbuf_text(&out));
	strbuf_done(&out);
}

/* A lead that was scored has everything that expressions can name. */
static void on_stage(void *ctx, enum stage stage, struct work *work)
{
	if (stage == STAGE_score)
		answer(ctx, work->lead_id, work->slots, &work->scratch);
}

static int eval_on_lead(struct question *question, struct leads *leads, size_t number, struct slice document,
                        int64_t now_ms)
{
	struct arena arena = ARENA_INIT;
	struct decision decision;
	const struct observer observer = {.on_stage = on_stage, .ctx = question};
	struct err err = ERR_INIT;
	question->is_answered = false;
	leads_forget(leads);
	leads_decide(leads, document, now_ms, &observer, &arena, &decision);
	if (!question->is_answered)
		err_set(&err, decision.code, "lead %zu is rejected: %.*s", number, SLICE_ARG(leads_reject_text(&decision)));
	arena_done(&arena);
	return question->is_answered ? CTL_OK : ctl_fail(CTL_FAILED, &err);
}

static int eval_on_leads(struct question *question, const char *file, int64_t now_ms)
{
	struct err err = ERR_INIT;
	struct slice text;
	const struct slice *documents;
	if (leads_read_file(file, &question->arena, &text, &err) != 0)
		return ctl_fail(CTL_FAILED, &err);
	struct leads *leads = leads_new(question->args);
	if (leads == NULL)
		return CTL_CONFIG;
	size_t count = leads_split(text, &question->arena, &documents);
	question->steps = leads_model(leads)->cel_step_limit;
	question->names_leads = count > 1;
	int code = compile(question, leads_model(leads)->env) == 0 ? CTL_OK : CTL_FAILED;
	if (count == 0 && code == CTL_OK)
		code = leads_none(file);
	for (size_t i = 0; i < count && question->program != NULL; i++)
		if (eval_on_lead(question, leads, i + 1, documents[i], now_ms) != CTL_OK)
			code = CTL_FAILED;
	cel_program_done((struct cel_program *)(uintptr_t)question->program);
	leads_free(leads);
	return code;
}

/* Without a lead: the names are declared all the same, and nothing is known of any. */
static int eval_on_nothing(struct question *question, const struct model *model, int64_t now_ms)
{
	static const struct cel_env nameless;
	struct cel_value slots[SCHEMA_SLOTS];
	struct lead lead;
	struct schema_territories territories;
	question->steps = model != NULL ? model->cel_step_limit : CEL_DEFAULT_STEPS;
	if (compile(question, model != NULL ? model->env : &nameless) != 0)
		return CTL_FAILED;
	if (model != NULL) {
		lead_init(&lead);
		schema_territories_init(&territories, model->env, model->territories, &lead);
		slots[SLOT_LEAD] = cel_object(&lead.objects[SCHEMA_LEAD]);
		slots[SLOT_ACCOUNT] = cel_object(&lead.objects[SCHEMA_ACCOUNT]);
		slots[SLOT_NOW] = cel_timestamp(now_ms / 1000, (uint32_t)(now_ms % 1000) * 1000000);
		slots[SLOT_TERRITORY] = cel_object(&territories.object);
		slots[SLOT_FACTS] = cel_zero(&cel_type_map);
		slots[SLOT_GRADE] = cel_string(SLICE(""));
		slots[SLOT_SCORE] = cel_int(0);
	}
	answer(question, SLICE_NONE, slots, &question->arena);
	cel_program_done((struct cel_program *)(uintptr_t)question->program);
	return CTL_OK;
}

static int eval_without_lead(struct question *question, int64_t now_ms)
{
	if (access(question->args->directory, F_OK) != 0)
		return eval_on_nothing(question, NULL, now_ms);
	struct leads *leads = leads_new(question->args);
	if (leads == NULL)
		return CTL_CONFIG;
	int code = eval_on_nothing(question, leads_model(leads), now_ms);
	leads_free(leads);
	return code;
}

int ctl_eval(const struct ctl_args *args)
{
	const char *file = ctl_option(args, "lead"), *at = ctl_option(args, "at");
	if (ctl_option(args, "jsonl") != NULL)
		return lines_answer(args, answer_lines);
	if (args->rest_count != 1)
		return ctl_usage("name one expression: leadctl eval 'lead.intent == \"high\"' --lead lead.json");
	int64_t now_ms = at != NULL ? instant_parse(slice_of(at)) : (int64_t)time(NULL) * 1000;
	if (now_ms < 0)
		return ctl_usage("--at takes a time such as 2026-11-23T09:00:00Z");
	struct question question = {.args = args, .text = slice_of(args->rest[0]), .arena = ARENA_INIT};
	int code = file != NULL ? eval_on_leads(&question, file, now_ms) : eval_without_lead(&question, now_ms);
	arena_done(&question.arena);
	return code == CTL_OK && question.has_failed ? CTL_FAILED : code;
}
