/* SPDX-License-Identifier: Apache-2.0
 *
 * What every implementation of view.h shares.
 */
#include "daemon/view.h"

const char *view_status_name(enum view_status status)
{
	switch (status) {
	case VIEW_DONE:
		return "done";
	case VIEW_STALE:
		return "stale";
	case VIEW_UNKNOWN:
		return "unknown";
	case VIEW_REFUSED:
		return "refused";
	case VIEW_BROKEN:
		return "broken";
	}
	return "?";
}
