/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a tenant's records lie: murmur2 with Java's seed and the sign bit masked, as the default partitioner of Kafka's
 * Java client does it, so that any producer that keys by tenant agrees with us.
 */
#include "rules/rules.h"

#include <assert.h>

static uint32_t word_at(const unsigned char *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint32_t murmur2(struct slice bytes)
{
	const uint32_t multiplier = 0x5bd1e995;
	const unsigned char *p = (const unsigned char *)bytes.p;
	uint32_t hash = 0x9747b28c ^ (uint32_t)bytes.len;
	size_t left = bytes.len;
	for (; left >= 4; left -= 4, p += 4) {
		uint32_t word = word_at(p) * multiplier;
		word ^= word >> 24;
		hash = (hash * multiplier) ^ (word * multiplier);
	}
	if (left >= 3)
		hash ^= (uint32_t)p[2] << 16;
	if (left >= 2)
		hash ^= (uint32_t)p[1] << 8;
	if (left >= 1)
		hash = (hash ^ p[0]) * multiplier;
	hash ^= hash >> 13;
	hash *= multiplier;
	return hash ^ hash >> 15;
}

int32_t rules_partition_of(struct slice tenant, int32_t partition_count)
{
	assert(partition_count > 0);
	return (int32_t)((murmur2(tenant) & 0x7fffffff) % (uint32_t)partition_count);
}
