/* SPDX-License-Identifier: Apache-2.0
 *
 * leadctl show, ring and reload: what a running instance says.
 */
#include <stdio.h>
#include <string.h>

#include "daemon/ctl/ctl.h"
#include "rules/base/arena.h"
#include "rules/json/json.h"
#include "rules/story/story_ring.h"

/* Prints the body and turns the status into an exit code. */
static int finish(int status, struct strbuf *body, const struct err *err)
{
	int code;
	if (status < 0)
		code = ctl_fail(err->code == ERR_CONFIG_REFUSED ? CTL_CONFIG : CTL_UNAVAILABLE, err);
	else if (status == 503)
		code = CTL_TRY_AGAIN;
	else if (status == 422)
		code = CTL_CONFIG;
	else
		code = status == 200 ? CTL_OK : CTL_FAILED;
	if (status >= 0) {
		FILE *out = code == CTL_OK ? stdout : stderr;
		fputs(strbuf_text(body), out);
		if (body->len == 0 || body->bytes[body->len - 1] != '\n')
			fputc('\n', out);
	}
	strbuf_done(body);
	return code;
}

int ctl_show(const struct ctl_args *args)
{
	struct strbuf target = STRBUF_INIT, body = STRBUF_INIT;
	struct err err = ERR_INIT;
	const char *what = args->rest_count > 0 ? args->rest[0] : "";
	bool needs_id = strcmp(what, "lead") == 0 || strcmp(what, "team") == 0;
	bool is_known = needs_id || strcmp(what, "shard") == 0 || strcmp(what, "config") == 0;
	if (!is_known || args->rest_count != (needs_id ? 2 : 1))
		return ctl_usage("say what to show: lead ID, team ID, shard or config");
	if (ctl_option(args, "history") != NULL)
		return strcmp(what, "lead") == 0 ? ctl_explain_lead(args, args->rest[1], true) : ctl_usage("--history is of a lead");
	strbuf_printf(&target, "/show/%s", what);
	if (needs_id) {
		strbuf_puts(&target, "?id=");
		ctl_put_query(&target, args->rest[1]);
	}
	int status = ctl_ask(args, false, strbuf_text(&target), &body, &err);
	strbuf_done(&target);
	return finish(status, &body, &err);
}

/* As a table; an answer of another form stays as it is. */
static void tabulate(struct strbuf *body)
{
	static const struct json_limits limits = {SIZE_MAX, 16, SIZE_MAX}; /* our own instance says it */
	struct arena arena = ARENA_INIT;
	struct strbuf table = STRBUF_INIT;
	story_ring(&table, json_read((struct slice){body->bytes, body->len}, limits, &arena, NULL));
	if (table.len != 0) {
		strbuf_done(body);
		*body = table;
	}
	arena_done(&arena);
}

int ctl_ring(const struct ctl_args *args)
{
	struct strbuf target = STRBUF_INIT, body = STRBUF_INIT;
	struct err err = ERR_INIT;
	if (args->rest_count != 1)
		return ctl_usage("say which team: leadctl ring TEAM");
	strbuf_puts(&target, "/show/ring?id=");
	ctl_put_query(&target, args->rest[0]);
	int status = ctl_ask(args, false, strbuf_text(&target), &body, &err);
	strbuf_done(&target);
	if (status == 200 && !args->json)
		tabulate(&body);
	return finish(status, &body, &err);
}

int ctl_reload(const struct ctl_args *args)
{
	struct strbuf body = STRBUF_INIT;
	struct err err = ERR_INIT;
	/* a broken configuration is what reload is asked about: the socket then has to be named */
	int status = ctl_ask(args, true, "/reload", &body, &err);
	return finish(status, &body, &err);
}
