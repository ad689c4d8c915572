/* SPDX-License-Identifier: Apache-2.0
 *
 * Tells throw-away and role mailboxes by list files, as facts for rules and scores:
 *
 *     facts["<name>.disposable"]  the domain, or one above it, is in the list of throw-away providers
 *     facts["<name>.role"]        the local part is a role (info, sales, …) rather than a person
 *     facts["<name>.free_mail"]   the domain is in the list of public mail providers
 *
 * A list is text: one entry a line, '#' begins a comment, case does not matter. Lists are read once, when the
 * configuration is loaded; a reload reads them again.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/plugin.h"

enum {
	ENTRY_BYTES_MAX = 254,
	ENTRIES_MAX = 2000000,
};

struct list {
	char **entries; /* sorted, lower case */
	size_t count, capacity;
};

struct instance {
	const struct lr_host *host;
	struct list disposable, roles, free_mail;
};

/* ---- lists */

static int compare_entries(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void list_done(struct list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->entries[i]);
	free(list->entries);
}

static int list_add(struct list *list, const char *entry, size_t len)
{
	if (list->count == ENTRIES_MAX)
		return -1;
	if (list->count == list->capacity) {
		size_t capacity = list->capacity ? list->capacity * 2 : 256;
		char **entries = realloc(list->entries, capacity * sizeof *entries);
		if (entries == NULL)
			return -1;
		list->entries = entries;
		list->capacity = capacity;
	}
	char *copy = malloc(len + 1);
	if (copy == NULL)
		return -1;
	for (size_t i = 0; i < len; i++)
		copy[i] = (char)tolower((unsigned char)entry[i]);
	copy[len] = '\0';
	list->entries[list->count++] = copy;
	return 0;
}

static int read_lines(struct list *list, FILE *file)
{
	char line[1024];
	while (fgets(line, sizeof line, file) != NULL) {
		if (strlen(line) == sizeof line - 1 && line[sizeof line - 2] != '\n')
			return -1; /* its rest would be read as an entry of its own */
		size_t begin = strspn(line, " \t");
		size_t len = strcspn(line + begin, "# \t\r\n");
		if (len > ENTRY_BYTES_MAX || (len > 0 && list_add(list, line + begin, len) != 0))
			return -1;
	}
	return ferror(file) ? -1 : 0;
}

static int list_read(struct list *list, const char *path, struct lr_err *err)
{
	FILE *file = fopen(path, "re");
	if (file == NULL) {
		snprintf(err->text, sizeof err->text, "cannot read %.180s: %s", path, strerror(errno));
		return -1;
	}
	int result = read_lines(list, file);
	fclose(file);
	if (result != 0) {
		snprintf(err->text, sizeof err->text, "%.180s: a line or an entry is too long, or there are too many", path);
		return -1;
	}
	if (list->count > 0)
		qsort(list->entries, list->count, sizeof *list->entries, compare_entries);
	return 0;
}

static int list_has(const struct list *list, const char *entry)
{
	return list->count > 0 &&
	       bsearch(&entry, list->entries, list->count, sizeof *list->entries, compare_entries) != NULL;
}

/* The domain itself or one that it lies in: mail.throwaway.example is caught by throwaway.example. */
static int list_has_domain(const struct list *list, const char *domain)
{
	for (const char *at = domain; at != NULL; at = strchr(at, '.')) {
		at += *at == '.';
		if (list_has(list, at))
			return 1;
	}
	return 0;
}

/* ---- the plug-in */

static void close_instance(void *self)
{
	struct instance *instance = self;
	list_done(&instance->disposable);
	list_done(&instance->roles);
	list_done(&instance->free_mail);
	free(instance);
}

static int read_setting(struct instance *instance, const struct lr_settings *settings, const char *name,
                        struct list *list, struct lr_err *err)
{
	const struct lr_host *host = instance->host;
	char path[4096];
	struct lr_text file = host->setting(host->self, settings, name);
	if (file.bytes == NULL)
		return 0;
	if (host->resolve(host->self, settings, file, path, sizeof path) != 0) {
		snprintf(err->text, sizeof err->text, "the path in `%s` is too long", name);
		return -1;
	}
	return list_read(list, path, err);
}

static void *open_instance(const struct lr_host *host, const struct lr_settings *settings, struct lr_err *err)
{
	struct instance *instance = calloc(1, sizeof *instance);
	if (instance == NULL)
		return NULL;
	instance->host = host;
	if (read_setting(instance, settings, "disposable_domains", &instance->disposable, err) == 0 &&
	    read_setting(instance, settings, "role_names", &instance->roles, err) == 0 &&
	    read_setting(instance, settings, "free_mail_domains", &instance->free_mail, err) == 0)
		return instance;
	close_instance(instance);
	return NULL;
}

static int run(void *self, const struct lr_record *record, struct lr_answer *answer)
{
	const struct instance *instance = self;
	const struct lr_host *host = instance->host;
	struct lr_text email = host->field(host->self, record, "contact.email");
	char text[ENTRY_BYTES_MAX + 1];
	if (email.bytes == NULL || email.len > ENTRY_BYTES_MAX) {
		host->done(host->self, answer);
		return 0;
	}
	for (size_t i = 0; i < email.len; i++)
		text[i] = (char)tolower((unsigned char)email.bytes[i]);
	text[email.len] = '\0';
	char *at = strrchr(text, '@');
	if (at == NULL) {
		host->done(host->self, answer);
		return 0;
	}
	*at = '\0';
	host->answer_bool(host->self, answer, "disposable", list_has_domain(&instance->disposable, at + 1));
	host->answer_bool(host->self, answer, "role", list_has(&instance->roles, text));
	host->answer_bool(host->self, answer, "free_mail", list_has_domain(&instance->free_mail, at + 1));
	host->done(host->self, answer);
	return 0;
}

static const struct lr_option options[] = {
	{"disposable_domains", "file with throw-away mail domains, one a line", 0},
	{"role_names", "file with local parts that name a role, one a line", 0},
	{"free_mail_domains", "file with public mail providers, one a line", 0},
	{NULL, NULL, 0},
};

__attribute__((visibility("default"))) const struct lr_plugin lr_plugin_v1 = {
	.abi = LR_PLUGIN_ABI,
	.size = sizeof(struct lr_plugin),
	.name = "cleanse_disposable",
	.steps = LR_CLEANSE,
	.options = options,
	.open = open_instance,
	.run = run,
	.close = close_instance,
};
