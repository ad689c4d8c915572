/* SPDX-License-Identifier: Apache-2.0
 *
 * How the decoded text of a YAML scalar came out of its source. The library gives both, but not which byte came from
 * where; this walks the two together, style by style. If they ever do not fit (which the fuzzer looks for), the answer
 * is one coarse piece, so that an error then points at the scalar instead of the character.
 */
#ifndef LR_DAEMON_YAML_SCALAR_H
#define LR_DAEMON_YAML_SCALAR_H

#include <stdbool.h>
#include <stddef.h>

#include "rules/base/slice.h"
#include "rules/json/tree.h"

struct arena;

enum yaml_style { YAML_PLAIN, YAML_SINGLE, YAML_DOUBLE, YAML_LITERAL, YAML_FOLDED };

/* `raw` is the source between the quotes, or from the first line of a block; it begins at byte `base` of the file.
 * Sets the pieces in `arena`. false: only the coarse piece could be given. */
bool yaml_scalar_pieces(enum yaml_style style, struct slice raw, size_t base, struct slice decoded, struct arena *arena,
                        const struct node_piece **ret_pieces, size_t *ret_count);

#endif
