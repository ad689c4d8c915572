/* SPDX-License-Identifier: Apache-2.0
 *
 * One generation of the configuration: options, compiled rules and plug-in instances under one reference count.
 *
 * `leadctl check`, start and reload build generations with the same function. A generation never changes; a reload
 * builds the next one aside and swaps a pointer, and each batch keeps the one it met until it is applied.
 * Used by the loop's thread only.
 */
#ifndef LR_DAEMON_GENERATION_H
#define LR_DAEMON_GENERATION_H

struct config;
struct diags;
struct generation;
struct model;

/* Reads, checks and compiles the directory. NULL when `diags` got an error; warnings may be added in any case. The
 * caller owns one reference. */
struct generation *generation_load(const char *directory, struct diags *diags);
struct generation *generation_ref(struct generation *generation);
void generation_unref(struct generation *take_generation);

/* Borrowed for as long as the reference is held. */
const struct model *generation_model(const struct generation *generation);
const struct config *generation_config(const struct generation *generation);

/* What belongs to the generation but is made elsewhere (plug-in instances); freed with it. At most once. */
void generation_attach(struct generation *generation, void *take_part, void (*free_part)(void *part));
void *generation_part(const struct generation *generation);

#endif
