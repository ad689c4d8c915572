/* SPDX-License-Identifier: Apache-2.0
 *
 * Tokens: what the installed librdkafka writes can be read, and what brokers would take without a check is refused (W4).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/commit_token.h"

static void a_member_of_a_generation_is_taken(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct commit_token *token =
		commit_token_from(rd_kafka_consumer_group_metadata_new_with_genid("group", 7, "member-1", NULL), &err);
	assert_non_null(token);
	assert_int_equal(commit_token_generation(token), 7);
	assert_string_equal(commit_token_member(token), "member-1");
	assert_non_null(commit_token_metadata(token));
	assert_ptr_equal(commit_token_ref(token), token);
	commit_token_unref(token);
	commit_token_unref(token);
}

static void nobody_is_refused(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	assert_null(commit_token_from(NULL, &err)); /* after a close */
	assert_int_equal(err.code, ERR_GENERATION_LOST);
	/* before the first join: generation -1, empty member */
	assert_null(commit_token_from(rd_kafka_consumer_group_metadata_new("group"), &err));
	/* after an expulsion: the old generation, empty member */
	assert_null(commit_token_from(rd_kafka_consumer_group_metadata_new_with_genid("group", 7, "", NULL), &err));
	assert_null(commit_token_from(rd_kafka_consumer_group_metadata_new_with_genid("group", -1, "member", NULL), &err));
	assert_int_equal(err.code, ERR_GENERATION_LOST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_member_of_a_generation_is_taken),
		cmocka_unit_test(nobody_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
