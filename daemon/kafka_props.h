/* SPDX-License-Identifier: Apache-2.0
 *
 * Which librdkafka properties a configuration may set: the one place that says so, for `leadctl check` and for start.
 *
 * Three answers. *Passed on*: connection, security, sizes, intervals; the value is tried on librdkafka itself, so a wrong
 * one is an error with its text. *Owned*: leadrouter sets it, because the promise of exactly one outcome stands on it, or
 * because another option says it; the error says why. *Anything else* is refused: a property that nobody thought about
 * here may load foreign code, swap the cluster for a mock, or lose records.
 */
#ifndef LR_DAEMON_KAFKA_PROPS_H
#define LR_DAEMON_KAFKA_PROPS_H

#include <stdbool.h>

#include "rules/base/err.h"

enum kafka_scope { KAFKA_GLOBAL, KAFKA_CONSUMER, KAFKA_PRODUCER };

/* "kafka.properties", "kafka.consumer.properties", …: where the configuration has them. */
const char *kafka_scope_name(enum kafka_scope scope);

/* 0 when `name` may be set to `value` there; else -1 and ERR_KAFKA_PROPERTY with the reason. Talks to nobody. */
int kafka_props_check(enum kafka_scope scope, const char *name, const char *value, struct err *err);
/* True for values that no dump or log may show (passwords, keys, tokens). */
bool kafka_props_is_secret(const char *name);

#endif
