/* SPDX-License-Identifier: Apache-2.0
 *
 * The simulator with the real rules: a small configuration, compiled by the code that compiles everybody's.
 *
 * Clocks run in seconds and the calendar never closes, so that timers come due within a schedule; each shard has leads
 * of two teams, so more than one ring turns.
 */
#include <stdio.h>
#include <stdlib.h>

#include "daemon/yaml.h"
#include "rules/base/diag.h"
#include "rules/base/strbuf.h"
#include "rules/model.h"
#include "tests/sim/reference.h"

static const char configuration[] =
	"cleanse:\n"
	"  default_country: DE\n"
	"  sources:\n"
	"    web: [website]\n"
	"    ads: [google ads]\n"
	"dedup:\n"
	"  window: forever\n"
	"  by: [email, phone]\n"
	"  identity_key_file: identity.key\n"
	"  identity_key_id: k1\n"
	"score:\n"
	"  base: 10\n"
	"  criteria:\n"
	"    - {name: high, points: 40, when: lead.intent == \"high\"}\n"
	"  grades:\n"
	"    - {grade: A, from: 40, first_response: 14s, remind_before: 8s}\n"
	"    - {grade: B, from: lowest, first_response: 20s}\n"
	"reps:\n"
	"  - {id: ana}\n"
	"  - {id: bob}\n"
	"  - {id: cy}\n"
	"teams:\n"
	"  - {id: north, reps: [{rep: ana, weight: 2}, bob], capacity: {open: 1}, nobody: [wait]}\n"
	"  - {id: south, reps: [bob, cy], capacity: {open: 1}, nobody: [wait]}\n"
	"routes:\n"
	"  - {name: high, when: grade == \"A\", team: north}\n"
	"  - {name: rest, team: south}\n"
	"calendars:\n"
	"  always:\n"
	"    zone: UTC\n"
	"    week:\n"
	"      mon-sun: [\"00:00-24:00\"]\n"
	"followup:\n"
	"  calendar: always\n"
	"  clocks:\n"
	"    - clock: first_response\n"
	"      when: grade == \"B\"\n"
	"      after: 20s\n"
	"      remind_before: [9s, 4s]\n"
	"      on_breach: reassign\n"
	"      max_hops: 1\n"
	"      levels: [{level: manager, after: 3s}]\n"
	"    - {clock: stale, after: 25s, on_breach: manager}\n"
	"    - {clock: total_age, after: 17s, remind_before: 2s}\n"
	"ownership:\n"
	"  cool_down: 5s\n"
	"  holding: 4\n"
	"  claims_per_day: 6\n"
	"  dispute: {evidence: 6s}\n"
	"  consent: [{team: south, by: boss, within: 7s, otherwise: refuse}]\n"
	"report: {calendar: always}\n"; /* figures, but no digests: a timer that comes each day never rests */

static int read_key(void *ctx, struct slice path, bool is_secret, struct arena *arena, struct slice *ret_bytes,
                    struct err *err)
{
	(void)ctx, (void)path, (void)is_secret, (void)arena, (void)err; /* there is one file, and it is always there */
	*ret_bytes = SLICE("0123456789abcdef0123456789abcdef");
	return 0;
}

bool reference_open(struct reference *ret)
{
	static struct arena arena; /* of the process; the model is in use until it ends */
	const struct model_files files = {.read = read_key};
	struct diags *diags = diags_new();
	const struct source *source =
		source_new(&arena, "sim.yaml", (struct slice){configuration, sizeof(configuration) - 1});
	const struct node *root = yaml_read(source, &arena, diags);

	ret->model = root ? model_build(root, &files, &arena, diags) : NULL;
	if (!ret->model) {
		struct strbuf text = STRBUF_INIT;
		diags_render(diags, false, &text);
		fputs(strbuf_text(&text), stderr);
		strbuf_done(&text);
	}
	diags_free(diags);
	return ret->model != NULL;
}
