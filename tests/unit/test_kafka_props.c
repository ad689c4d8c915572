/* SPDX-License-Identifier: Apache-2.0
 *
 * Which librdkafka properties are passed on, and what the others are told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/kafka_props.h"

static void assert_refused(enum kafka_scope scope, const char *name, const char *value, const char *because)
{
	struct err err = ERR_INIT;
	assert_int_equal(kafka_props_check(scope, name, value, &err), -1);
	assert_int_equal(err.code, ERR_KAFKA_PROPERTY);
	if (strstr(err.text, because) == NULL)
		fail_msg("%s: '%s' does not say '%s'", name, err.text, because);
}

static void assert_passed(enum kafka_scope scope, const char *name, const char *value)
{
	struct err err = ERR_INIT;
	if (kafka_props_check(scope, name, value, &err) != 0)
		fail_msg("%s: %s", name, err.text);
}

static void security_sizes_and_intervals_are_passed_on(void **state)
{
	(void)state;
	assert_passed(KAFKA_GLOBAL, "security.protocol", "sasl_ssl");
	assert_passed(KAFKA_GLOBAL, "sasl.mechanism", "SCRAM-SHA-512");
	assert_passed(KAFKA_GLOBAL, "ssl.ca.location", "/etc/ssl/certs/ca-certificates.crt");
	assert_passed(KAFKA_CONSUMER, "fetch.wait.max.ms", "50");
	assert_passed(KAFKA_PRODUCER, "compression.type", "zstd");
	assert_passed(KAFKA_PRODUCER, "linger.ms", "0");
}

static void what_the_promise_stands_on_is_refused_with_a_reason(void **state)
{
	(void)state;
	static const char *const NAMES[] = {
		"enable.auto.commit", "enable.auto.offset.store", "group.id", "enable.idempotence", "isolation.level",
		"transactional.id", "auto.offset.reset", "partition.assignment.strategy", "acks", "group.instance.id",
		"queued.min.messages", "bootstrap.servers",
	};
	for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
		for (int scope = KAFKA_GLOBAL; scope <= KAFKA_PRODUCER; scope++)
			assert_refused((enum kafka_scope)scope, NAMES[i], "1", "cannot be set: ");
}

static void mocks_and_foreign_code_are_refused(void **state)
{
	(void)state;
	assert_refused(KAFKA_GLOBAL, "test.mock.num.brokers", "3", "mock");
	assert_refused(KAFKA_GLOBAL, "plugin.library.paths", "evil", "foreign code");
	assert_refused(KAFKA_GLOBAL, "ssl.engine.location", "evil.so", "foreign code");
	assert_refused(KAFKA_GLOBAL, "sasl.kerberos.kinit.cmd", "rm", "foreign code");
	assert_refused(KAFKA_GLOBAL, "enable.ssl.certificate.verification", "false", "forge");
}

static void unknown_names_and_values_carry_librdkafkas_text(void **state)
{
	(void)state;
	assert_refused(KAFKA_GLOBAL, "no.such.thing", "1", "No such configuration property");
	assert_refused(KAFKA_PRODUCER, "linger.ms", "soon", "linger.ms");
	assert_refused(KAFKA_GLOBAL, "client.id", "a-client-id-that-is-longer-than-32-bytes", "longer than 32");
	assert_refused(KAFKA_GLOBAL, "enable.random.seed", "true", "not among");
}

static void a_property_in_the_wrong_section_is_told_the_right_one(void **state)
{
	(void)state;
	assert_refused(KAFKA_PRODUCER, "fetch.wait.max.ms", "50", "kafka.consumer.properties");
	assert_refused(KAFKA_GLOBAL, "linger.ms", "5", "kafka.producer.properties");
}

static void secrets_are_known(void **state)
{
	(void)state;
	assert_true(kafka_props_is_secret("sasl.password"));
	assert_true(kafka_props_is_secret("sasl.oauthbearer.client.secret"));
	assert_true(kafka_props_is_secret("ssl.key.pem"));
	assert_false(kafka_props_is_secret("sasl.username"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(security_sizes_and_intervals_are_passed_on),
		cmocka_unit_test(what_the_promise_stands_on_is_refused_with_a_reason),
		cmocka_unit_test(mocks_and_foreign_code_are_refused),
		cmocka_unit_test(unknown_names_and_values_carry_librdkafkas_text),
		cmocka_unit_test(a_property_in_the_wrong_section_is_told_the_right_one),
		cmocka_unit_test(secrets_are_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
