/* SPDX-License-Identifier: Apache-2.0
 *
 * Which time zone data the system has: zones are loaded once and stay for the life of the process, so an upgrade of
 * tzdata needs a restart, and people need to see which data a deadline was computed with.
 */
#ifndef LR_DAEMON_TZDATA_H
#define LR_DAEMON_TZDATA_H

/* "2026b", from the first line of tzdata.zi; "unknown" when the system does not say. Read once. */
const char *tzdata_version(void);

#endif
