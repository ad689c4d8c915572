/* SPDX-License-Identifier: Apache-2.0
 *
 * Preloaded into a daemon under test: its wall clock is off by the milliseconds that the file $LR_TEST_JUMP holds, which may
 * change at any time. Boot time, and the clocks of Kafka and Redis, stay right.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

typedef int get_fn(clockid_t, struct timespec *);

int clock_gettime(clockid_t id, struct timespec *at);

static const volatile int64_t *offset_file(void)
{
	static const int64_t none;
	const char *path = getenv("LR_TEST_JUMP");
	int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *mapped = fd >= 0 ? mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
	return mapped != MAP_FAILED ? mapped : &none;
}

__attribute__((visibility("default"))) int clock_gettime(clockid_t id, struct timespec *at)
{
	static get_fn *real;
	static const volatile int64_t *offset_ms;
	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
	if (offset_ms == NULL)
		offset_ms = offset_file();
	int result = real(id, at);
	if (id == CLOCK_REALTIME && result == 0) {
		int64_t ms = *offset_ms;
		at->tv_sec += ms / 1000;
	}
	return result;
}
