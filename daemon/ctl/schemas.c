/* SPDX-License-Identifier: Apache-2.0
 *
 * config/schemas, taken in by the assembler as they are. The Makefile names them as prerequisites of this object, because
 * the compiler does not see them.
 */
#include "daemon/ctl/schemas.h"

#define SCHEMA(symbol, name)                                                                                                 \
	extern const char lr_schema_##symbol[], lr_schema_##symbol##_end[];                                                      \
	__asm__(".pushsection .rodata\n"                                                                                         \
	        ".hidden lr_schema_" #symbol "\n.global lr_schema_" #symbol "\nlr_schema_" #symbol ":\n"                         \
	        ".incbin \"config/schemas/" name ".json\"\n"                                                                     \
	        ".hidden lr_schema_" #symbol "_end\n.global lr_schema_" #symbol "_end\nlr_schema_" #symbol "_end:\n"             \
	        ".byte 0\n"                                                                                                      \
	        ".popsection\n");
#include "daemon/ctl/schemas.def"

static const struct {
	const char *name, *text, *end;
} SCHEMAS[SCHEMA_COUNT] = {
#define SCHEMA(symbol, name) {name, lr_schema_##symbol, lr_schema_##symbol##_end},
#include "daemon/ctl/schemas.def"
};

const char *schemas_name(size_t at)
{
	return SCHEMAS[at].name;
}

struct slice schemas_text(size_t at)
{
	return (struct slice){SCHEMAS[at].text, (size_t)(SCHEMAS[at].end - SCHEMAS[at].text)};
}
