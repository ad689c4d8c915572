/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/tzdata.h"

#include <stdio.h>
#include <string.h>

/* The version is of the process's life like the zones themselves, so one buffer serves. */
const char *tzdata_version(void)
{
	static char version[32];
	if (version[0] != '\0')
		return version;
	FILE *file = fopen("/usr/share/zoneinfo/tzdata.zi", "re");
	char line[64] = "";
	if (file != NULL) {
		if (fgets(line, sizeof line, file) == NULL)
			line[0] = '\0';
		fclose(file);
	}
	if (sscanf(line, "# version %31s", version) != 1)
		strcpy(version, "unknown");
	return version;
}
