/* SPDX-License-Identifier: Apache-2.0
 *
 * From YAML to options and model: a configuration is taken or refused with errors that have a text, never anything else.
 * The input may refer to files; any file is the key, or a small table.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/config.h"
#include "daemon/yaml.h"
#include "rules/base/arena.h"
#include "rules/base/diag.h"
#include "rules/base/strbuf.h"
#include "rules/json/diag_json.h"
#include "rules/json/tree.h"
#include "rules/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
const char *__lsan_default_suppressions(void);

/* libfyaml 0.7 loses an atom buffer on some syntax errors. */
const char *__lsan_default_suppressions(void)
{
	return "leak:libfyaml";
}

static int read_any(void *ctx, struct slice path, bool is_secret, struct arena *arena, struct slice *ret_bytes,
                    struct err *err)
{
	(void)ctx, (void)arena;
	if (path.len > 10)
		return err_set(err, ERR_CONFIG_READ, "there is no such file");
	*ret_bytes = is_secret ? SLICE("0123456789abcdef0123456789abcdef") : SLICE("country,area\nDE,all\n");
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct arena arena = ARENA_INIT;
	struct strbuf out = STRBUF_INIT;
	struct diags *diags = diags_new();
	const struct model_files files = {read_any, NULL};
	struct slice text = {(const char *)bytes, size};
	const struct node *root = yaml_read(source_new(&arena, "fuzz.yaml", text), &arena, diags);
	if (root != NULL && root->kind == NODE_MAPPING) {
		const struct config *config = config_build(root, &files, &arena, diags);
		size_t errors = diags_error_count(diags);
		assert((config == NULL) == (errors != 0));
		struct model *model = model_build(root, &files, &arena, diags);
		assert((model == NULL) == (diags_error_count(diags) != errors));
		assert(model == NULL || (model->route_count > 0 && model->grade_count > 0 && model->calendar != NULL));
		if (config != NULL)
			config_print(config, &out);
		model_done(model);
	}
	diags_render(diags, false, &out);
	diags_render_json(diags, &out);
	strbuf_done(&out);
	diags_free(diags);
	arena_done(&arena);
	return 0;
}
