/* SPDX-License-Identifier: Apache-2.0
 *
 * The codec below redis.c: hiredis' reader and formatter, and the only file that knows hiredis. Replies are built in an
 * arena by our own functions, so that their number and size are bounded before memory is taken for them.
 */
#include "daemon/redis.h"
#include "daemon/redis_command.h"

#include <assert.h>
#include <hiredis/hiredis.h>
#include <stdlib.h>

#include "rules/base/arena.h"
#include "rules/base/mem.h"

enum {
	ARENA_KEEP_BYTES = 1024 * 1024, /* a reply's arena above this is given back, not reused */
	ARGS_MAX = 1024 * 1024,
};

/* ---- replies */

#if HIREDIS_MAJOR >= 1
typedef size_t item_count;
#else
typedef int item_count; /* the same callback in 0.14 */
#endif

struct redis_reader {
	redisReader *hiredis;
	struct arena arena;   /* of the reply that is being built or was returned last */
	size_t reply_bytes;   /* fed since the last whole reply */
	size_t reply_items;
	bool is_returned;     /* the arena holds a reply that the caller has seen */
	bool is_over_limit;
};

static struct redis_reply *add_reply(const redisReadTask *task, enum redis_kind kind)
{
	struct redis_reader *reader = task->privdata;
	struct redis_reply *reply = arena_alloc(&reader->arena, sizeof *reply);
	reply->kind = kind;
	if (task->parent != NULL) {
		const struct redis_reply *parent = task->parent->obj;
		assert((size_t)task->idx < parent->count);
		parent->items[task->idx] = reply;
	}
	return reply;
}

static void *make_text(const redisReadTask *task, char *bytes, size_t len)
{
	struct redis_reader *reader = task->privdata;
	enum redis_kind kind;
	if (task->type == REDIS_REPLY_STRING)
		kind = REDIS_IS_TEXT;
	else if (task->type == REDIS_REPLY_STATUS)
		kind = REDIS_IS_STATUS;
	else if (task->type == REDIS_REPLY_ERROR)
		kind = REDIS_IS_ERROR;
	else
		return NULL; /* RESP3, which nobody asked for */
	struct redis_reply *reply = add_reply(task, kind);
	reply->text = (struct slice){arena_memdupz(&reader->arena, bytes, len), len};
	return reply;
}

static int depth_of(const redisReadTask *task)
{
	int depth = 1;
	while ((task = task->parent) != NULL)
		depth++;
	return depth;
}

static void *make_array(const redisReadTask *task, item_count count)
{
	struct redis_reader *reader = task->privdata;
	size_t room = REDIS_REPLY_ITEMS_MAX - reader->reply_items;
	if (task->type != REDIS_REPLY_ARRAY)
		return NULL;
	bool is_too_many = (long long)count < 0 || (unsigned long long)count > room;
	if (is_too_many || depth_of(task) > REDIS_REPLY_DEPTH_MAX) {
		reader->is_over_limit = true;
		return NULL;
	}
	reader->reply_items += (size_t)count;
	struct redis_reply *reply = add_reply(task, REDIS_IS_ARRAY);
	reply->count = (size_t)count;
	reply->items = arena_array(&reader->arena, reply->count, sizeof *reply->items);
	return reply;
}

static void *make_integer(const redisReadTask *task, long long value)
{
	struct redis_reply *reply = add_reply(task, REDIS_IS_INTEGER);
	reply->integer = value;
	return reply;
}

static void *make_nil(const redisReadTask *task)
{
	return add_reply(task, REDIS_IS_NIL);
}

static void free_nothing(void *reply)
{
	(void)reply; /* the arena owns it */
}

#if HIREDIS_MAJOR >= 1
/* Without these hiredis 1.x makes up pointers for RESP3's types. NULL ends the reading. */
static void *refuse_double(const redisReadTask *task, double value, char *text, size_t len)
{
	(void)task, (void)value, (void)text, (void)len;
	return NULL;
}

static void *refuse_bool(const redisReadTask *task, int value)
{
	(void)task, (void)value;
	return NULL;
}
#endif

/* Not const: hiredis takes a plain pointer, and only reads. */
static redisReplyObjectFunctions MAKERS = {
	.createString = make_text,
	.createArray = make_array,
	.createInteger = make_integer,
	.createNil = make_nil,
	.freeObject = free_nothing,
#if HIREDIS_MAJOR >= 1
	.createDouble = refuse_double,
	.createBool = refuse_bool,
#endif
};

struct redis_reader *redis_reader_new(void)
{
	struct redis_reader *reader = xcalloc(1, sizeof *reader);
	reader->hiredis = redisReaderCreateWithFunctions(&MAKERS);
	if (reader->hiredis == NULL)
		abort();
	reader->hiredis->privdata = reader;
	return reader;
}

void redis_reader_free(struct redis_reader *reader)
{
	if (reader == NULL)
		return;
	redisReaderFree(reader->hiredis);
	arena_done(&reader->arena);
	free(reader);
}

static int refuse_bytes(const struct redis_reader *reader, struct err *err)
{
	if (reader->is_over_limit)
		return err_set(err, ERR_REDIS_REPLY, "a reply of redis exceeds the limit of %d bytes, %d items or %d levels",
		               REDIS_REPLY_BYTES_MAX, REDIS_REPLY_ITEMS_MAX, REDIS_REPLY_DEPTH_MAX);
	return err_set(err, ERR_REDIS_REPLY, "this is not redis, or the stream is broken: %s", reader->hiredis->errstr);
}

int redis_reader_feed(struct redis_reader *reader, const char *bytes, size_t len, struct err *err)
{
	reader->reply_bytes += len;
	reader->is_over_limit |= reader->reply_bytes > REDIS_REPLY_BYTES_MAX;
	if (reader->is_over_limit || redisReaderFeed(reader->hiredis, bytes, len) != REDIS_OK)
		return refuse_bytes(reader, err);
	return 0;
}

static void forget_reply(struct redis_reader *reader)
{
	if (reader->arena.total_bytes > ARENA_KEEP_BYTES)
		arena_done(&reader->arena);
	else
		arena_reset(&reader->arena);
	reader->is_returned = false;
	reader->reply_items = 0;
}

int redis_reader_next(struct redis_reader *reader, const struct redis_reply **ret_reply, struct err *err)
{
	void *reply = NULL;
	if (reader->is_returned)
		forget_reply(reader);
	if (redisReaderGetReply(reader->hiredis, &reply) != REDIS_OK)
		return refuse_bytes(reader, err);
	if (reply == NULL)
		return 0;
	reader->is_returned = true;
	reader->reply_bytes = reader->hiredis->len - reader->hiredis->pos;
	*ret_reply = reply;
	return 1;
}

/* ---- commands */

static bool is_too_large(const struct slice *args, size_t count)
{
	enum { FRAME_BYTES = 16 };
	size_t total = 0;
	if (count > ARGS_MAX)
		return true;
	for (size_t i = 0; i < count; i++) {
		if (args[i].len > REDIS_COMMAND_BYTES_MAX)
			return true;
		total += args[i].len + FRAME_BYTES;
		if (total > REDIS_COMMAND_BYTES_MAX)
			return true;
	}
	return false;
}

struct redis_command *redis_command_new(const struct slice *args, size_t count)
{
	if (is_too_large(args, count))
		return NULL;
	const char **texts = xcalloc(count, sizeof *texts);
	size_t *lens = xcalloc(count, sizeof *lens);
	for (size_t i = 0; i < count; i++) {
		texts[i] = args[i].len ? args[i].p : "";
		lens[i] = args[i].len;
	}
	struct redis_command *command = xcalloc(1, sizeof *command);
	long long len = redisFormatCommandArgv(&command->bytes, (int)count, texts, lens);
	if (len < 0)
		abort(); /* no memory */
	command->refs = 1;
	command->len = (size_t)len;
	free(texts);
	free(lens);
	return command;
}

void redis_command_unref(struct redis_command *command)
{
	if (command == NULL || --command->refs > 0)
		return;
	redisFreeCommand(command->bytes);
	free(command);
}

size_t redis_command_bytes(const struct redis_command *command)
{
	return command->len;
}
