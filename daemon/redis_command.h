/* SPDX-License-Identifier: Apache-2.0
 *
 * What a command is inside: shared by redis.c and redis_codec.c, and by nobody else.
 */
#ifndef LR_DAEMON_REDIS_COMMAND_H
#define LR_DAEMON_REDIS_COMMAND_H

#include <stddef.h>

struct redis_command {
	int refs;    /* the maker's, and one for each time that it lies in a socket's buffer */
	char *bytes; /* as hiredis formatted them; freed by hiredis */
	size_t len;
};

#endif
