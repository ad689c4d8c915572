/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/config_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/config_merge.h"
#include "daemon/yaml.h"
#include "rules/base/arena.h"
#include "rules/base/diag.h"
#include "rules/base/err.h"
#include "rules/base/hash.h"
#include "rules/base/mem.h"
#include "rules/json/tree.h"

enum { PATH_BYTES = 4096 };

struct config_files {
	char *directory;
	struct hash_stream *digest;
};

struct config_files *config_files_new(const char *directory)
{
	struct config_files *files = xcalloc(1, sizeof *files);
	files->directory = xstrdup(directory);
	files->digest = hash_stream_new();
	return files;
}

void config_files_free(struct config_files *files)
{
	if (files == NULL)
		return;
	uint8_t unused[SHA256_BYTES];
	if (files->digest != NULL)
		hash_stream_finish(files->digest, unused);
	free(files->directory);
	free(files);
}

void config_files_hash(struct config_files *files, char ret_hex[17])
{
	uint8_t digest[SHA256_BYTES];
	hash_stream_finish(files->digest, digest);
	files->digest = NULL;
	hash_hex(digest, 8, ret_hex);
}

/* ---- one file */

static int check_file(const struct stat *status, const char *path, size_t most, bool is_secret, struct err *err)
{
	if (!S_ISREG(status->st_mode))
		return err_set(err, ERR_CONFIG_READ, "%s is no regular file", path);
	if ((uint64_t)status->st_size > most)
		return err_set(err, ERR_TOO_MANY, "%s is larger than %zu bytes", path, most);
	if (is_secret && (status->st_mode & S_IRWXO) != 0)
		return err_set(err, ERR_SECRET_EXPOSED, "everybody can read the secret %s: chmod o-rwx it", path);
	return 0;
}

/* The whole file; it may shrink or grow while it is read, but never past what was allocated. */
static int read_all(int fd, const char *path, size_t size, struct arena *arena, struct slice *ret_bytes, struct err *err)
{
	char *bytes = arena_alloc(arena, size + 1);
	size_t len = 0;
	while (len < size) {
		ssize_t got = read(fd, bytes + len, size - len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_set(err, ERR_CONFIG_READ, "cannot read %s: %s", path, strerror(errno));
		if (got == 0)
			break;
		len += (size_t)got;
	}
	*ret_bytes = (struct slice){bytes, len};
	return 0;
}

/* O_NONBLOCK: a FIFO that somebody put there must not hang the start. */
static int read_file(const char *path, size_t most, bool is_secret, struct arena *arena, struct slice *ret_bytes,
                     struct err *err)
{
	struct stat status;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return err_set(err, ERR_CONFIG_READ, "cannot open %s: %s", path, strerror(errno));
	int result = -1;
	if (fstat(fd, &status) != 0)
		err_set(err, ERR_CONFIG_READ, "cannot read %s: %s", path, strerror(errno));
	else if (check_file(&status, path, most, is_secret, err) == 0)
		result = read_all(fd, path, (size_t)status.st_size, arena, ret_bytes, err);
	close(fd);
	return result;
}

static int resolve(const struct config_files *files, struct slice path, bool is_secret, char ret_path[PATH_BYTES],
                   struct err *err)
{
	const char *credentials = is_secret ? getenv("CREDENTIALS_DIRECTORY") : NULL;
	int len = 0;
	if (memchr(path.p, '\0', path.len) != NULL)
		return err_set(err, ERR_BAD_VALUE, "a path cannot hold a NUL");
	if (path.len > 0 && path.p[0] == '/')
		len = snprintf(ret_path, PATH_BYTES, "%.*s", SLICE_ARG(path));
	else if (credentials != NULL && credentials[0] != '\0')
		len = snprintf(ret_path, PATH_BYTES, "%s/%.*s", credentials, SLICE_ARG(path));
	if (len > 0 && len < PATH_BYTES && (path.p[0] == '/' || access(ret_path, F_OK) == 0))
		return 0;
	len = snprintf(ret_path, PATH_BYTES, "%s/%.*s", files->directory, SLICE_ARG(path));
	if (len >= PATH_BYTES)
		return err_set(err, ERR_BAD_VALUE, "a path is longer than %d bytes", PATH_BYTES - 1);
	return 0;
}

static int read_for_model(void *ctx, struct slice path, bool is_secret, struct arena *arena, struct slice *ret_bytes,
                          struct err *err)
{
	struct config_files *files = ctx;
	char full[PATH_BYTES];
	if (path.len == 0)
		return err_set(err, ERR_BAD_VALUE, "the name of the file is empty");
	if (resolve(files, path, is_secret, full, err) != 0)
		return -1;
	size_t most = is_secret ? CONFIG_SECRET_BYTES_MAX : CONFIG_FILE_BYTES_MAX;
	if (read_file(full, most, is_secret, arena, ret_bytes, err) != 0)
		return -1;
	if (!is_secret) {
		hash_stream_part(files->digest, path);
		hash_stream_part(files->digest, *ret_bytes);
	}
	return 0;
}

struct model_files config_files_reader(struct config_files *files)
{
	return (struct model_files){read_for_model, files};
}

/* ---- the directory */

static int by_bytes(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

static bool has_ending(const char *name, const char *ending)
{
	size_t len = strlen(name), end = strlen(ending);
	return len > end && strcmp(name + len - end, ending) == 0;
}

static void warn_unread(const char *name, struct arena *arena, struct diags *diags)
{
	if (!has_ending(name, ".yml"))
		return;
	const char *path = arena_printf(arena, "conf.d/%s", name);
	const struct source *source = source_new(arena, path, SLICE_NONE);
	struct diag *diag = diags_warn(diags, ERR_FILE_IGNORED, (struct source_span){source, 0, 0}, "this file is not read");
	diag_help(diags, diag, "files in conf.d end in .yaml");
}

/* Names in conf.d that are read, sorted; on the heap. A directory that is not there is an empty one. */
static char **list_directory(const char *path, size_t *ret_count, struct arena *arena, struct diags *diags)
{
	char **names = NULL;
	size_t count = 0;
	DIR *directory = opendir(path);
	if (directory == NULL && errno != ENOENT)
		diags_add(diags, ERR_CONFIG_READ, SOURCE_SPAN_NONE, "cannot read %s: %s", path, strerror(errno));
	const struct dirent *entry;
	while (directory != NULL && (entry = readdir(directory)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		if (!has_ending(entry->d_name, ".yaml")) {
			warn_unread(entry->d_name, arena, diags);
			continue;
		}
		if (count == CONFIG_FILES_MAX) {
			diags_add(diags, ERR_TOO_MANY, SOURCE_SPAN_NONE, "%s has more than %d files", path, CONFIG_FILES_MAX);
			break;
		}
		names = xreallocarray(names, count + 1, sizeof *names);
		names[count++] = xstrdup(entry->d_name);
	}
	if (directory != NULL)
		closedir(directory);
	if (count != 0)
		qsort(names, count, sizeof *names, by_bytes);
	*ret_count = count;
	return names;
}

/* One file into the merger; false when not all that stands in it got there. */
static bool add_file(struct config_files *files, const char *relative, struct merge *merge, struct arena *arena,
                     struct diags *diags)
{
	char path[PATH_BYTES];
	struct slice bytes = SLICE_NONE;
	struct err err = ERR_INIT;
	snprintf(path, sizeof path, "%s/%s", files->directory, relative);
	if (read_file(path, YAML_BYTES_MAX, false, arena, &bytes, &err) != 0) {
		const struct source *source = source_new(arena, relative, SLICE_NONE);
		diags_add(diags, err.code, (struct source_span){source, 0, 0}, "%s", err.text);
		return false;
	}
	hash_stream_part(files->digest, slice_of(relative));
	hash_stream_part(files->digest, bytes);
	bool is_whole;
	const struct node *root = yaml_read_rest(source_new(arena, relative, bytes), arena, diags, &is_whole);
	if (root == NULL || !node_expect_mapping(root, "a configuration file", diags))
		return false;
	merge_add(merge, root);
	return is_whole;
}

const struct node *config_files_tree(struct config_files *files, struct arena *arena, struct diags *diags,
                                     bool *ret_is_whole)
{
	char path[PATH_BYTES];
	size_t count;
	struct merge merge = {.arena = arena, .diags = diags};
	snprintf(path, sizeof path, "%s/conf.d", files->directory);
	bool is_whole = add_file(files, "leadrouter.yaml", &merge, arena, diags);
	char **names = list_directory(path, &count, arena, diags);
	for (size_t i = 0; i < count; i++) {
		snprintf(path, sizeof path, "conf.d/%s", names[i]);
		is_whole &= add_file(files, path, &merge, arena, diags);
		free(names[i]);
	}
	free(names);
	const struct node *root = merge_finish(&merge);
	*ret_is_whole = is_whole && !merge.is_lossy;
	return merge.first_root != NULL ? root : NULL;
}
