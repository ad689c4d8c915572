/* SPDX-License-Identifier: Apache-2.0
 *
 * See commit_token.h. librdkafka 2.0.2 has no accessors for generation and member id; they are read from the serialised
 * form, "CGMDv2:" generation(4, host order) group NUL member NUL instance NUL, and an unknown form is refused.
 */
#include "daemon/commit_token.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/base/mem.h"

struct commit_token {
	atomic_int references;
	rd_kafka_consumer_group_metadata_t *metadata;
	int32_t generation;
	char member[COMMIT_TOKEN_MEMBER_BYTES];
};

static int parse(struct commit_token *token, const char *bytes, size_t len, struct err *err)
{
	static const char MAGIC[] = "CGMDv2:";
	const size_t magic = sizeof MAGIC - 1;
	if (len < magic + sizeof token->generation || memcmp(bytes, MAGIC, magic) != 0)
		return err_set(err, ERR_GENERATION_LOST, "this librdkafka writes group metadata in a form that leadrouter does not know");
	memcpy(&token->generation, bytes + magic, sizeof token->generation);
	const char *group = bytes + magic + sizeof token->generation;
	const char *end = bytes + len;
	const char *group_end = memchr(group, '\0', (size_t)(end - group));
	const char *member = group_end ? group_end + 1 : end;
	const char *member_end = member < end ? memchr(member, '\0', (size_t)(end - member)) : NULL;
	if (member_end == NULL || member_end == member || token->generation < 0)
		return err_set(err, ERR_GENERATION_LOST, "not a member of the group (generation %d)", (int)token->generation);
	snprintf(token->member, sizeof token->member, "%s", member);
	return 0;
}

static int read_metadata(struct commit_token *token, struct err *err)
{
	void *bytes = NULL;
	size_t len = 0;
	if (token->metadata == NULL)
		return err_set(err, ERR_GENERATION_LOST, "the consumer has no group metadata");
	rd_kafka_error_t *error = rd_kafka_consumer_group_metadata_write(token->metadata, &bytes, &len);
	if (error != NULL) {
		err_set(err, ERR_GENERATION_LOST, "group metadata: %s", rd_kafka_error_string(error));
		rd_kafka_error_destroy(error);
		return -1;
	}
	int result = parse(token, bytes, len, err);
	rd_kafka_mem_free(NULL, bytes);
	return result;
}

struct commit_token *commit_token_from(rd_kafka_consumer_group_metadata_t *take_metadata, struct err *err)
{
	struct commit_token *token = xcalloc(1, sizeof *token);
	atomic_init(&token->references, 1);
	token->metadata = take_metadata;
	if (read_metadata(token, err) == 0)
		return token;
	commit_token_unref(token);
	return NULL;
}

struct commit_token *commit_token_new(rd_kafka_t *consumer, struct err *err)
{
	return commit_token_from(rd_kafka_consumer_group_metadata(consumer), err);
}

struct commit_token *commit_token_ref(struct commit_token *token)
{
	atomic_fetch_add_explicit(&token->references, 1, memory_order_relaxed);
	return token;
}

void commit_token_unref(struct commit_token *token)
{
	if (atomic_fetch_sub_explicit(&token->references, 1, memory_order_acq_rel) != 1)
		return;
	if (token->metadata != NULL)
		rd_kafka_consumer_group_metadata_destroy(token->metadata);
	free(token);
}

const rd_kafka_consumer_group_metadata_t *commit_token_metadata(const struct commit_token *token)
{
	return token->metadata;
}

int32_t commit_token_generation(const struct commit_token *token)
{
	return token->generation;
}

const char *commit_token_member(const struct commit_token *token)
{
	return token->member;
}
