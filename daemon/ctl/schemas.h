/* SPDX-License-Identifier: Apache-2.0
 *
 * The JSON schemas of what is taken, sent and stored, as a part of the program: what a test may name is what is promised to
 * everybody else.
 */
#ifndef LR_DAEMON_CTL_SCHEMAS_H
#define LR_DAEMON_CTL_SCHEMAS_H

#include <stddef.h>

#include "rules/base/slice.h"

enum {
#define SCHEMA(symbol, name) SCHEMA_##symbol,
#include "daemon/ctl/schemas.def"
	SCHEMA_COUNT
};

/* "lead.assigned", of config/schemas/lead.assigned.json */
const char *schemas_name(size_t at);
struct slice schemas_text(size_t at);

#endif
