/* SPDX-License-Identifier: Apache-2.0
 *
 * A configuration directory: which files, what is in them, one tree.
 *
 *     leadrouter.yaml      must be there
 *     conf.d/NAME.yaml     in byte order of their names; nothing else in conf.d is read
 *
 * A section may be spread over files: lists are appended in that order, mappings are united by key. A key that two files
 * define is an error that names both. Whatever else the configuration refers to (tables, secrets) is read through
 * config_files_reader(), so that one digest covers everything that was read. Secrets are left out of the digest, which
 * everybody may see.
 */
#ifndef LR_DAEMON_CONFIG_FILES_H
#define LR_DAEMON_CONFIG_FILES_H

#include "rules/model.h"

struct arena;
struct diags;
struct node;

enum {
	CONFIG_FILES_MAX = 1000,
	CONFIG_FILE_BYTES_MAX = 128 << 20, /* a territory table of 2,000,000 rows */
	CONFIG_SECRET_BYTES_MAX = 64 << 10,
};

struct config_files; /* heap; one owner */

/* `directory` is copied. Opens nothing yet. */
struct config_files *config_files_new(const char *directory);
void config_files_free(struct config_files *files);

/* Reads every YAML file and unites the sections; all of it lives in `arena`. What errors were added for is left out, so
 * that the rest can be looked at for more; NULL when nothing is left. *ret_is_whole: what the tree lacks is in no file. */
const struct node *config_files_tree(struct config_files *files, struct arena *arena, struct diags *diags,
                                     bool *ret_is_whole);
/* For model_build and config_build; valid as long as `files`. Relative paths start at the directory; a secret is looked for
 * in $CREDENTIALS_DIRECTORY first, and refused when everybody on the machine can read it. */
struct model_files config_files_reader(struct config_files *files);
/* First 16 hex digits of the digest of all that was read; to be called once, at the end. */
void config_files_hash(struct config_files *files, char ret_hex[17]);

#endif
