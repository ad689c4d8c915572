/* SPDX-License-Identifier: Apache-2.0
 *
 * What an event of the intake tells of the state that it was decided by. A record that is decided once more, to explain what
 * became of it, has to meet the state of then, which is long gone; its event's trace kept the part that mattered:
 *
 *     facts, fields that plug-ins filled -> the prepared record: no plug-in is asked again, and nothing counted
 *     returning, owner_match, account,   -> the lead that the person or company had, under the key that led to it
 *       lead.duplicate
 *     do_not_contact, an erased lead     -> a key that is barred
 *     candidates, pool.nobody, named_rep -> positions in the rotation, and who was not there
 *
 * What no event tells stays unknown: leads of before that changed nothing, loads and caps of those who could take it.
 */
#ifndef LR_RULES_STORY_KNOWN_H
#define LR_RULES_STORY_KNOWN_H

#include "rules/base/slice.h"

struct json;
struct prepared;
struct rehearsal;

/* `type` and `data` are those of the event, `code` the error's word of a lead.rejected, which has no data (NULL). Call it
 * between rules_prepare() and rehearsal_decide(). */
void known_tell(struct rehearsal *rehearsal, struct prepared *prepared, struct slice type, const struct json *data,
                struct slice code);

#endif
