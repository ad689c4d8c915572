/* SPDX-License-Identifier: Apache-2.0
 *
 * daemon/yaml: whatever the bytes are, there is a tree or an error, and each byte of a scalar has a place in the source
 * that holds it.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/yaml.h"
#include "rules/base/arena.h"
#include "rules/base/diag.h"
#include "rules/base/strbuf.h"
#include "rules/json/tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
const char *__lsan_default_suppressions(void);

/* libfyaml 0.7 loses an atom buffer on some syntax errors. */
const char *__lsan_default_suppressions(void)
{
	return "leak:libfyaml";
}

static bool is_space(char byte)
{
	return byte == ' ' || byte == '\n' || byte == '\r';
}

/* Pieces of equal length are copies, but for folded line ends and the escapes \N and \_ of two bytes. */
static void check_piece(const struct node *node, const struct node_piece *piece)
{
	const struct slice source = node->span.source->text;
	assert(piece->decoded + piece->decoded_len <= node->text.len);
	assert(piece->source + piece->source_len <= source.len);
	if (piece->decoded_len != piece->source_len || memchr(node->text.p, '\xC2', node->text.len) != NULL)
		return;
	for (size_t i = 0; i < piece->decoded_len; i++) {
		char from = source.p[piece->source + i], to = node->text.p[piece->decoded + i];
		assert(from == to || (is_space(from) && is_space(to)) || from == '\\');
	}
}

static void check_scalar(const struct node *node)
{
	for (size_t i = 0; i < node->piece_count; i++)
		check_piece(node, &node->pieces[i]);
	for (size_t at = 0; at <= node->text.len; at++) {
		struct source_span span = node_span_in(node, at, at < node->text.len);
		assert(span.offset + span.len <= span.source->text.len);
		source_place_of(span.source, span.offset);
	}
}

static void check_node(const struct node *node)
{
	if (node->kind == NODE_SCALAR)
		check_scalar(node);
	for (size_t i = 0; node->kind == NODE_SEQUENCE && i < node->count; i++)
		check_node(node->items[i]);
	for (size_t i = 0; node->kind == NODE_MAPPING && i < node->count; i++) {
		check_node(node->members[i].key);
		check_node(node->members[i].value);
		assert(node_find(node, node->members[i].key->text) == &node->members[i]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct arena arena = ARENA_INIT;
	struct strbuf out = STRBUF_INIT;
	struct diags *diags = diags_new();
	struct slice text = {(const char *)bytes, size};
	const struct node *root = yaml_read(source_new(&arena, "fuzz.yaml", text), &arena, diags);
	assert((root == NULL) == (diags_error_count(diags) != 0));
	if (root != NULL)
		check_node(root);
	diags_render(diags, true, &out);
	strbuf_done(&out);
	diags_free(diags);
	arena_done(&arena);
	return 0;
}
