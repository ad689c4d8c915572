/* SPDX-License-Identifier: Apache-2.0
 *
 * YAML bytes -> configuration tree. The only file that knows libfyaml.
 *
 * It reads the library's events, not its documents: nothing is ever resolved, so nothing can expand. Refused, each with
 * its place: anchors, aliases, merge keys, tags, several documents, keys that are no plain text, the same key twice in
 * one mapping. After a syntax error nothing more can be said about that file (the library stops there).
 */
#ifndef LR_DAEMON_YAML_H
#define LR_DAEMON_YAML_H

#include <stdbool.h>

#include "rules/base/source.h"

struct arena;
struct diags;
struct node;

enum {
	YAML_BYTES_MAX = 8 << 20,
	YAML_DEPTH_MAX = 32,
	YAML_NODES_MAX = 1000000, /* 10,000 rules are about 100,000 */
};

/* The tree of a file's only document, in `arena`, which must hold `source` too. An empty file is an empty mapping.
 * NULL: errors were added. */
const struct node *yaml_read(const struct source *source, struct arena *arena, struct diags *diags);
/* The same, but what was refused without making the rest unreadable is left out of the tree, so that the rest can be
 * looked at for more errors: of a key twice the second, an alias, a merge key. NULL: there is no tree. *ret_is_whole:
 * nothing but repeated keys was left out, so what the tree lacks is not in the file either. */
const struct node *yaml_read_rest(const struct source *source, struct arena *arena, struct diags *diags,
                                  bool *ret_is_whole);

#endif
