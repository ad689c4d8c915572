/* SPDX-License-Identifier: Apache-2.0
 *
 * leadctl check, version and bootstrap.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/config.h"
#include "daemon/ctl/ctl.h"
#include "daemon/generation.h"
#include "daemon/plugin_host.h"
#include "daemon/process.h"
#include "rules/base/diag.h"
#include "rules/json.h"

/* The same two calls as start: generation and plug-ins. */
static void load(const char *directory, struct diags *diags)
{
	struct generation *generation = generation_load(directory, diags);
	if (generation == NULL)
		return;
	plugin_set_close(plugin_set_open(generation_config(generation), directory, NULL, NULL, NULL, diags));
	generation_unref(generation);
}

static void put_place(struct json_writer *writer, const char *name, const struct diag_mark *mark)
{
	if (mark->path == NULL)
		return;
	json_open_object(writer, name);
	json_put_text(writer, "file", slice_of(mark->path));
	json_put_int(writer, "line", mark->line);
	json_put_int(writer, "column", mark->column);
	if (mark->label != NULL && *mark->label != '\0')
		json_put_text(writer, "label", slice_of(mark->label));
	json_close_object(writer);
}

/* One object a line. */
static void put_json(struct diags *diags, struct strbuf *out)
{
	size_t count;
	const struct diag *list = diags_sorted(diags, &count);
	for (size_t i = 0; i < count; i++) {
		struct json_writer writer = JSON_WRITER(out);
		json_open_object(&writer, NULL);
		json_put_text(&writer, "severity", list[i].severity == DIAG_ERROR ? SLICE("error") : SLICE("warning"));
		json_put_text(&writer, "code", slice_of(err_number(list[i].code)));
		json_put_text(&writer, "word", slice_of(err_word(list[i].code)));
		json_put_text(&writer, "message", slice_of(list[i].message));
		put_place(&writer, "place", &list[i].place);
		put_place(&writer, "second", &list[i].second);
		if (list[i].help != NULL)
			json_put_text(&writer, "help", slice_of(list[i].help));
		json_close_object(&writer);
		strbuf_putc(out, '\n');
	}
}

int ctl_check(const struct ctl_args *args)
{
	struct diags *diags = diags_new();
	struct strbuf out = STRBUF_INIT;
	load(args->directory, diags);
	bool is_good = diags_error_count(diags) == 0;
	if (args->json) {
		put_json(diags, &out);
		fputs(strbuf_text(&out), stdout);
	} else {
		diags_render(diags, isatty(STDERR_FILENO), &out);
		diags_verdict(diags, &out);
		fprintf(stderr, "%s\n", strbuf_text(&out));
	}
	strbuf_done(&out);
	diags_free(diags);
	return is_good ? CTL_OK : CTL_CONFIG;
}

int ctl_version(const struct ctl_args *args)
{
	(void)args;
	puts("leadctl " LEADROUTER_VERSION);
	return CTL_OK;
}

int ctl_bootstrap(const struct ctl_args *args)
{
	struct strbuf out = STRBUF_INIT;
	struct err err = ERR_INIT;
	int result = process_bootstrap(args->directory, &out, &err);
	fputs(strbuf_text(&out), result == 0 ? stdout : stderr);
	strbuf_done(&out);
	if (result == 0)
		return CTL_OK;
	return ctl_fail(err.code == ERR_CONFIG_REFUSED ? CTL_CONFIG : CTL_UNAVAILABLE, &err);
}
