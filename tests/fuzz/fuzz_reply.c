/* SPDX-License-Identifier: Apache-2.0
 *
 * daemon/redis_codec and the translations of daemon/view_*.c: whatever a server sends, a reply is one of the known statuses
 * with texts that lie in memory. The first byte chooses the request, the second how the bytes are cut.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/loop.h"
#include "daemon/view_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void on_never(void *ctx, const struct view_reply *reply)
{
	(void)ctx, (void)reply;
	assert(!"the loop never runs here");
}

static struct view_request *make_request(struct view *view, unsigned kind)
{
	static const struct slice keys[] = {{"lead/a", 6}, {"ident/x", 7}, {"lead/b", 6}};
	const struct view_read_args args = {.keys = keys, .key_count = 3, .due_until_ms = 1000, .due_limit = 2,
	                                         .is_walk = true, .walk_count = 10};
	const struct head head = {.epoch = 1, .seq = 2, .hash = "0123456789abcdef"};
	if (kind % 3 == 0)
		return view_read(view, 0, &args, on_never, NULL);
	if (kind % 3 == 1)
		return view_read_memory(view, 0, on_never, NULL);
	return view_apply(view, 0, &head, &head, 0, NULL, 0, on_never, NULL);
}

static size_t touch(struct slice text)
{
	size_t sum = text.len;
	for (size_t i = 0; i < text.len; i++)
		sum += (unsigned char)text.p[i];
	return sum;
}

static void check_reply(const struct view_reply *reply)
{
	size_t sum = 0;
	assert(reply->status <= VIEW_BROKEN);
	assert(reply->status != VIEW_DONE || reply->err.code == ERR_NONE);
	assert(reply->status != VIEW_REFUSED || reply->err.code != ERR_NONE);
	assert(reply->head.state != VIEW_HEAD_NORMAL || view_can_hold(&reply->head.head));
	assert(reply->next_due_ms >= 0);
	for (size_t i = 0; i < reply->value_count; i++)
		sum += touch(reply->values[i].key) + touch(reply->values[i].value);
	for (size_t i = 0; i < reply->due_count; i++)
		sum += touch(reply->due[i]);
	assert(sum < SIZE_MAX); /* used, so that the reads above are not removed */
}

static void check_all(struct view_request *request, struct redis_reader *reader)
{
	const struct redis_reply *reply;
	struct err err = ERR_INIT;
	while (redis_reader_next(reader, &reply, &err) == 1) {
		struct view_reply ret = {.status = VIEW_UNKNOWN};
		view_translate(request, reply, &ret);
		check_reply(&ret);
		if (reply->kind == REDIS_IS_TEXT)
			view_check_info(reply->text, &err);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	if (size < 2)
		return 0;
	struct view_options options = view_options_default();
	options.redis.unix_path = "/nowhere";
	struct view_events events = {0};
	struct loop *loop = loop_new();
	struct view *view = view_new(loop, &options, &events);
	struct view_request *request = make_request(view, bytes[0]);
	struct redis_reader *reader = redis_reader_new();
	size_t step = (size_t)bytes[1] + 1;
	for (size_t at = 2; at < size; at += step) {
		size_t len = size - at < step ? size - at : step;
		if (redis_reader_feed(reader, (const char *)bytes + at, len, NULL) != 0)
			break;
		check_all(request, reader);
	}
	redis_reader_free(reader);
	view_free(view);
	loop_free(loop);
	return 0;
}
