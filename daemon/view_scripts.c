/* SPDX-License-Identifier: Apache-2.0
 *
 * The Lua scripts, taken in by the assembler as they are: view_common.lua in front of each, and what the timers need in front of
 * those that read or change them. The Makefile names the .lua files as prerequisites of this object, because the compiler
 * does not see them. A server takes at most 16 KiB of one argument from who has not logged in yet, and breaks the connection
 * instead of asking for the password: a script is to be smaller than that.
 */
#include "daemon/view_redis.h"

#define TAKEN(file) ".incbin \"daemon/" file ".lua\"\n"

#define SCRIPT(symbol, files)                                                                                                \
	extern const char symbol[], symbol##_end[];                                                                          \
	__asm__(".pushsection .rodata\n"                                                                                     \
	        ".hidden " #symbol "\n.global " #symbol "\n" #symbol ":\n"                                                   \
	        TAKEN("view_common") files                                                                                   \
	        ".hidden " #symbol "_end\n.global " #symbol "_end\n" #symbol "_end:\n"                                       \
	        ".byte 0\n"                                                                                                  \
	        ".popsection\n")

SCRIPT(lr_view_read, TAKEN("view_pages") TAKEN("view_read"));
SCRIPT(lr_view_memory, TAKEN("view_memory"));
SCRIPT(lr_view_apply, TAKEN("view_pages") TAKEN("view_plan") TAKEN("view_apply"));
SCRIPT(lr_view_epoch, TAKEN("view_epoch"));
SCRIPT(lr_view_rebuild_begin, TAKEN("view_rebuild_begin"));
SCRIPT(lr_view_rebuild_chunk, TAKEN("view_pages") TAKEN("view_plan") TAKEN("view_rebuild_chunk"));
SCRIPT(lr_view_rebuild_finish, TAKEN("view_rebuild_finish"));
SCRIPT(lr_view_probe, TAKEN("view_probe"));

static const struct {
	const char *name, *text, *end;
} SCRIPTS[VIEW_SCRIPTS] = {
	[VIEW_SCRIPT_READ] = {"view_read", lr_view_read, lr_view_read_end},
	[VIEW_SCRIPT_MEMORY] = {"view_memory", lr_view_memory, lr_view_memory_end},
	[VIEW_SCRIPT_APPLY] = {"view_apply", lr_view_apply, lr_view_apply_end},
	[VIEW_SCRIPT_EPOCH] = {"view_epoch", lr_view_epoch, lr_view_epoch_end},
	[VIEW_SCRIPT_BEGIN] = {"view_rebuild_begin", lr_view_rebuild_begin, lr_view_rebuild_begin_end},
	[VIEW_SCRIPT_CHUNK] = {"view_rebuild_chunk", lr_view_rebuild_chunk, lr_view_rebuild_chunk_end},
	[VIEW_SCRIPT_FINISH] = {"view_rebuild_finish", lr_view_rebuild_finish, lr_view_rebuild_finish_end},
	[VIEW_SCRIPT_PROBE] = {"view_probe", lr_view_probe, lr_view_probe_end},
};

struct slice view_script_text(enum view_script script)
{
	return (struct slice){SCRIPTS[script].text, (size_t)(SCRIPTS[script].end - SCRIPTS[script].text)};
}

const char *view_script_name(enum view_script script)
{
	return SCRIPTS[script].name;
}
