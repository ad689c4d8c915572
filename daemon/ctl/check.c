/* SPDX-License-Identifier: Apache-2.0
 *
 * leadctl check, version and bootstrap.
 */
#include <stdio.h>
#include <unistd.h>

#include "daemon/ctl/ctl.h"
#include "daemon/generation.h"
#include "daemon/loader.h"
#include "daemon/process.h"
#include "rules/base/diag.h"
#include "rules/base/strbuf.h"
#include "rules/json/diag_json.h"

int ctl_check(const struct ctl_args *args)
{
	struct diags *diags = diags_new();
	struct strbuf out = STRBUF_INIT;
	struct generation *generation = loader_load(args->directory, NULL, NULL, NULL, diags);
	bool is_good = generation != NULL;
	generation_unref(generation);
	if (args->json) {
		diags_render_json(diags, &out);
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
