/* SPDX-License-Identifier: Apache-2.0
 *
 * The first start of a group (kafka_check.h). The commit is the ordinary one of a consumer that is in no group, which
 * brokers take only while the group has no members; so a race with a starting daemon ends in a refusal, not in a reset.
 */
#include "daemon/kafka_check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "daemon/head.h"
#include "rules/base/hash.h"
#include "rules/base/mem.h"

enum { LEVEL_WARNING = 4, AGAIN_MS = 200 };

/* Topics that were created a moment ago have no leader yet, or are not known to every broker. */
static bool may_pass(rd_kafka_resp_err_t code)
{
	return code == RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION || code == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE ||
	       code == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION || code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
	       code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
}

static rd_kafka_resp_err_t ask_low(rd_kafka_t *rk, const char *topic, int32_t partition, int64_t *ret_low)
{
	int64_t high;
	rd_kafka_resp_err_t code;
	for (int left = KAFKA_START_MS / AGAIN_MS; left > 0; left--) {
		code = rd_kafka_query_watermark_offsets(rk, topic, partition, ret_low, &high, KAFKA_START_MS);
		if (!may_pass(code))
			return code;
		rd_kafka_poll(rk, AGAIN_MS); /* waits */
	}
	return code;
}

static int refuse_members(rd_kafka_t *rk, const struct kafka_options *options, struct err *err)
{
	const struct rd_kafka_group_list *groups = NULL;
	rd_kafka_resp_err_t code = rd_kafka_list_groups(rk, options->group, &groups, KAFKA_START_MS);
	int members = 0;
	if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
		for (int i = 0; i < groups->group_cnt; i++)
			members += groups->groups[i].member_cnt;
	else
		kafka_log(options, LEVEL_WARNING, "the broker does not list the members of group %s (%s); it checks itself on commit",
		          options->group, rd_kafka_err2str(code));
	if (groups != NULL)
		rd_kafka_group_list_destroy(groups);
	if (members > 0)
		return err_set(err, ERR_GROUP_IN_USE, "group %s has %d members: stop all instances first", options->group, members);
	return 0;
}

static rd_kafka_topic_partition_list_t *all_partitions(const struct kafka_options *options)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(16);
	for (size_t i = 0; i < options->input_count; i++)
		rd_kafka_topic_partition_list_add_range(list, options->inputs[i].topic, 0, options->partition_count - 1);
	return list;
}

static int refuse_offsets(rd_kafka_t *rk, const struct kafka_options *options, rd_kafka_topic_partition_list_t *list,
                          struct err *err)
{
	rd_kafka_resp_err_t code = rd_kafka_committed(rk, list, KAFKA_START_MS);
	for (int i = 0; i < list->cnt && code == RD_KAFKA_RESP_ERR_NO_ERROR; i++)
		code = list->elems[i].err;
	if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
		return err_set(err, ERR_KAFKA_UNAVAILABLE, "committed offsets of group %s: %s", options->group,
		               rd_kafka_err2str(code));
	for (int i = 0; i < list->cnt; i++)
		if (list->elems[i].offset >= 0)
			return err_set(err, ERR_BOOTSTRAPPED,
			               "group %s has a committed offset for %s [%" PRId32 "]; nothing was changed. To begin a new "
			               "history see leadrouterd(8), RECOVERY",
			               options->group, list->elems[i].topic, list->elems[i].partition);
	return 0;
}

/* Two histories must never share a chain, so it begins at random. */
static int random_head(struct head *ret, struct err *err)
{
	uint8_t bytes[(HEAD_HASH_BYTES - 1) / 2];
	*ret = (struct head){0};
	if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
		return err_set(err, ERR_KAFKA_CLIENT, "getrandom: %s", strerror(errno));
	hash_hex(bytes, sizeof bytes, ret->hash);
	return 0;
}

static int set_metadata(const struct kafka_options *options, rd_kafka_topic_partition_t *at, struct err *err)
{
	char text[HEAD_METADATA_BYTES];
	struct head head;
	if (random_head(&head, err) != 0)
		return -1;
	at->metadata_size = head_to_metadata(&head, options->partition_count, text);
	at->metadata = xmemdupz(text, at->metadata_size); /* the list frees it */
	return 0;
}

static int find_earliest(rd_kafka_t *rk, const struct kafka_options *options, rd_kafka_topic_partition_list_t *list,
                         struct err *err)
{
	for (int i = 0; i < list->cnt; i++) {
		rd_kafka_topic_partition_t *at = &list->elems[i];
		int64_t low = 0;
		rd_kafka_resp_err_t code = ask_low(rk, at->topic, at->partition, &low);
		if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
			return err_set(err, ERR_KAFKA_UNAVAILABLE, "earliest offset of %s [%" PRId32 "]: %s", at->topic, at->partition,
			               rd_kafka_err2str(code));
		at->offset = low;
		bool is_anchor = strcmp(at->topic, options->inputs[0].topic) == 0;
		if (is_anchor && set_metadata(options, at, err) != 0)
			return -1;
	}
	return 0;
}

static int commit_offsets(rd_kafka_t *rk, const struct kafka_options *options, rd_kafka_topic_partition_list_t *list,
                          struct err *err)
{
	rd_kafka_resp_err_t code = rd_kafka_commit(rk, list, 0);
	for (int i = 0; i < list->cnt && code == RD_KAFKA_RESP_ERR_NO_ERROR; i++)
		code = list->elems[i].err;
	if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
		return 0;
	bool is_in_use = code == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID || code == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION;
	return err_set(err, is_in_use ? ERR_GROUP_IN_USE : ERR_KAFKA_UNAVAILABLE, "commit of the first offsets of group %s: %s",
	               options->group, rd_kafka_err2str(code));
}

int kafka_bootstrap(const struct kafka_options *options, struct err *err)
{
	rd_kafka_conf_t *conf = kafka_conf_questions(options, err);
	if (conf == NULL)
		return -1;
	rd_kafka_conf_set_opaque(conf, (void *)&options);
	rd_kafka_t *rk = kafka_client_new(RD_KAFKA_CONSUMER, conf, err);
	if (rk == NULL)
		return -1;
	rd_kafka_topic_partition_list_t *list = all_partitions(options);
	int result = refuse_members(rk, options, err);
	if (result == 0)
		result = refuse_offsets(rk, options, list, err);
	if (result == 0)
		result = find_earliest(rk, options, list, err);
	if (result == 0)
		result = commit_offsets(rk, options, list, err);
	rd_kafka_topic_partition_list_destroy(list);
	rd_kafka_destroy(rk);
	return result;
}
