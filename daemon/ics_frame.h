/* SPDX-License-Identifier: Apache-2.0
 *
 * The frame of an iCalendar file, looked at before libical sees it: encoding, length, BEGIN and END. libical itself closes
 * what was cut off and goes on.
 */
#ifndef LR_DAEMON_ICS_FRAME_H
#define LR_DAEMON_ICS_FRAME_H

#include "rules/base/slice.h"

struct err;

/* `bytes` without a byte order mark. 0, or -1 and *err: ERR_BAD_ICS with the line, ERR_ICS_LIMIT. */
int ics_check_frame(struct slice bytes, struct err *err);

#endif
