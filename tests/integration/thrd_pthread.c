/* SPDX-License-Identifier: Apache-2.0
 *
 * Thread sanitizer builds only: C11 threads by way of POSIX ones. librdkafka starts its threads with thrd_create(), which
 * the sanitizer does not see; a callback on such a thread would crash it. These definitions come before libc's.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>

struct begin {
	thrd_start_t fn;
	void *arg;
};

static void *run(void *ctx)
{
	struct begin begin = *(struct begin *)ctx;
	free(ctx);
	return (void *)(intptr_t)begin.fn(begin.arg);
}

__attribute__((visibility("default"))) int thrd_create(thrd_t *thread, thrd_start_t fn, void *arg)
{
	struct begin *begin = malloc(sizeof *begin);
	if (begin == NULL)
		return thrd_nomem;
	*begin = (struct begin){fn, arg};
	if (pthread_create(thread, NULL, run, begin) == 0)
		return thrd_success;
	free(begin);
	return thrd_error;
}

__attribute__((visibility("default"))) int thrd_join(thrd_t thread, int *ret)
{
	void *result;
	if (pthread_join(thread, &result) != 0)
		return thrd_error;
	if (ret != NULL)
		*ret = (int)(intptr_t)result;
	return thrd_success;
}

__attribute__((visibility("default"))) int thrd_detach(thrd_t thread)
{
	return pthread_detach(thread) == 0 ? thrd_success : thrd_error;
}
