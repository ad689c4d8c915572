/* SPDX-License-Identifier: Apache-2.0
 *
 * The guarded wall clock: the only source of `now` for decisions.
 *
 * CLOCK_REALTIME is compared with the drift of CLOCK_BOOTTIME since the start and with the time of Redis. A difference
 * above the limit means that somebody set a clock: timers freeze (late is allowed, early never) and an alarm is raised
 * until the clocks agree again. Records go on being decided; only firing stops.
 */
#ifndef LR_DAEMON_CLOCK_H
#define LR_DAEMON_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct clock;

/* Wall time in ms since 1970. */
int64_t clock_now_ms(struct clock *clock);
/* False while timers must not fire. */
bool clock_is_sane(struct clock *clock);

#endif
