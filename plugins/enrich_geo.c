/* SPDX-License-Identifier: Apache-2.0
 *
 * Country and region of a lead from `location.ip`, by a MaxMind DB file (libmaxminddb). The database is the site's own:
 * GeoLite2, DB-IP Lite or any other in that format.
 *
 *     facts["<name>.country"]   ISO code, when the database knows the address
 *     facts["<name>.region"]    "<country>-<subdivision>", when it does
 *     location.country          is filled when the lead left it empty
 *     location.region           likewise, when the country is the same
 *
 * The file is mapped into memory. When it is replaced (another inode), it is opened again at the next look after
 * REOPEN_MS; a bad new file leaves the old one in use, with a warning.
 */
#include <maxminddb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "plugins/plugin.h"

enum { REOPEN_MS = 60000, CODE_BYTES = 16 };

struct instance {
	const struct lr_host *host;
	char path[4096];
	ino_t inode;
	MMDB_s database;
	struct lr_timer *timer;
};

static int open_database(struct instance *instance, MMDB_s *ret, ino_t *ret_inode, char *why, size_t why_bytes)
{
	struct stat status;
	if (stat(instance->path, &status) != 0) {
		snprintf(why, why_bytes, "cannot find the database %.180s", instance->path);
		return -1;
	}
	int result = MMDB_open(instance->path, MMDB_MODE_MMAP, ret);
	if (result != MMDB_SUCCESS) {
		snprintf(why, why_bytes, "cannot open %.150s: %.60s", instance->path, MMDB_strerror(result));
		return -1;
	}
	*ret_inode = status.st_ino;
	return 0;
}

static void look_again(void *ctx)
{
	struct instance *instance = ctx;
	const struct lr_host *host = instance->host;
	struct stat status;
	MMDB_s fresh;
	ino_t inode;
	char why[256];
	if (stat(instance->path, &status) == 0 && status.st_ino != instance->inode) {
		if (open_database(instance, &fresh, &inode, why, sizeof why) == 0) {
			MMDB_close(&instance->database);
			instance->database = fresh;
			instance->inode = inode;
			host->log(host->self, 2, "the geo database was replaced and opened again");
		} else {
			host->log(host->self, 1, why);
		}
	}
	instance->timer = host->timer(host->self, REOPEN_MS, look_again, instance);
}

static void *open_instance(const struct lr_host *host, const struct lr_settings *settings, struct lr_err *err)
{
	struct instance *instance = calloc(1, sizeof *instance);
	if (instance == NULL)
		return NULL;
	instance->host = host;
	struct lr_text file = host->setting(host->self, settings, "database");
	if (host->resolve(host->self, settings, file, instance->path, sizeof instance->path) != 0) {
		snprintf(err->text, sizeof err->text, "the path in `database` is too long");
		free(instance);
		return NULL;
	}
	if (open_database(instance, &instance->database, &instance->inode, err->text, sizeof err->text) != 0) {
		free(instance);
		return NULL;
	}
	instance->timer = host->timer(host->self, REOPEN_MS, look_again, instance);
	return instance;
}

static void close_instance(void *self)
{
	struct instance *instance = self;
	if (instance->timer != NULL)
		instance->host->timer_cancel(instance->host->self, instance->timer);
	MMDB_close(&instance->database);
	free(instance);
}

/* The text at one of two paths: databases of cities nest it ("country", "iso_code"), small ones have it on top
 * ("country_code"). */
static struct lr_text text_at(MMDB_entry_s *entry, const char *const *nested, const char *flat)
{
	MMDB_entry_data_s data;
	const char *const flat_path[] = {flat, NULL};
	const char *const *paths[] = {nested, flat_path};
	for (size_t i = 0; i < 2; i++)
		if (paths[i][0] != NULL && MMDB_aget_value(entry, &data, paths[i]) == MMDB_SUCCESS && data.has_data &&
		    data.type == MMDB_DATA_TYPE_UTF8_STRING && data.data_size > 0 && data.data_size < CODE_BYTES)
			return (struct lr_text){data.utf8_string, data.data_size};
	return (struct lr_text){NULL, 0};
}

static void answer_place(const struct instance *instance, const struct lr_record *record, struct lr_answer *answer,
                         MMDB_entry_s *entry)
{
	static const char *const country_path[] = {"country", "iso_code", NULL};
	static const char *const region_path[] = {"subdivisions", "0", "iso_code", NULL};
	const struct lr_host *host = instance->host;
	struct lr_text country = text_at(entry, country_path, "country_code");
	struct lr_text region = text_at(entry, region_path, "state_code");
	if (country.bytes == NULL)
		return;
	host->answer_text(host->self, answer, "country", country);
	struct lr_text own = host->field(host->self, record, "location.country");
	host->fill(host->self, answer, "location.country", country);
	if (region.bytes == NULL)
		return;
	char text[2 * CODE_BYTES + 2];
	int len = snprintf(text, sizeof text, "%.*s-%.*s", (int)country.len, country.bytes, (int)region.len, region.bytes);
	const struct lr_text full = {text, (size_t)len};
	host->answer_text(host->self, answer, "region", full);
	if (own.bytes == NULL || (own.len == country.len && memcmp(own.bytes, country.bytes, own.len) == 0))
		host->fill(host->self, answer, "location.region", full);
}

static int run(void *self, const struct lr_record *record, struct lr_answer *answer)
{
	const struct instance *instance = self;
	const struct lr_host *host = instance->host;
	struct lr_text ip = host->field(host->self, record, "location.ip");
	char text[64];
	if (ip.bytes != NULL && ip.len > 0 && ip.len < sizeof text) {
		int gai_error = 0, mmdb_error = MMDB_SUCCESS;
		memcpy(text, ip.bytes, ip.len);
		text[ip.len] = '\0';
		MMDB_lookup_result_s found = MMDB_lookup_string(&instance->database, text, &gai_error, &mmdb_error);
		if (gai_error == 0 && mmdb_error == MMDB_SUCCESS && found.found_entry)
			answer_place(instance, record, answer, &found.entry);
	}
	host->done(host->self, answer);
	return 0;
}

static const struct lr_option options[] = {
	{"database", "file in MaxMind DB format", 1},
	{NULL, NULL, 0},
};

__attribute__((visibility("default"))) const struct lr_plugin lr_plugin_v1 = {
	.abi = LR_PLUGIN_ABI,
	.size = sizeof(struct lr_plugin),
	.name = "enrich_geo",
	.steps = LR_ENRICH,
	.options = options,
	.open = open_instance,
	.run = run,
	.close = close_instance,
};
