/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/identity.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "rules/base/arena.h"
#include "rules/base/hash.h"
#include "rules/model.h"

enum { MAC_BYTES = 11, MAC_TEXT_BYTES = 15, MARK_MAC_BYTES = 8, KEY_BYTES_MAX = 64 };

static const char letters[IDENTITY_KINDS] = {
	[IDENTITY_EVENT] = 'v', [IDENTITY_LEAD] = 'l',    [IDENTITY_EMAIL] = 'e',
	[IDENTITY_PHONE] = 'p', [IDENTITY_COMPANY] = 'c', [IDENTITY_DOMAIN] = 'd',
};

char identity_letter(enum identity_kind kind)
{
	return letters[kind];
}

/* HMAC of letter 0x00 value: the letter keeps kinds apart, the NUL keeps letter and value apart. */
static void digest(const struct model *model, char letter, struct slice value, struct arena *arena,
                   uint8_t ret_digest[SHA256_BYTES])
{
	char *message = arena_alloc(arena, value.len + 2);
	message[0] = letter;
	message[1] = '\0';
	memcpy(message + 2, value.p, value.len);
	hash_hmac(&model->identity_hmac, (struct slice){message, value.len + 2}, ret_digest);
}

static char *put(char *to, struct slice text)
{
	memcpy(to, text.p, text.len);
	return to + text.len;
}

struct slice identity_key(const struct model *model, enum identity_kind kind, int version, struct slice canonical,
                          struct arena *arena)
{
	if (canonical.len == 0)
		return SLICE_NONE;
	uint8_t mac[SHA256_BYTES];
	char text[KEY_BYTES_MAX], *at = put(text, SLICE("ident/"));
	assert(version >= 0 && version <= 9 && model->identity_key_id.len <= MODEL_KEY_ID_BYTES_MAX);
	at = put(at, model->identity_key_id);
	*at++ = '.';
	*at++ = (char)('0' + version);
	*at++ = '.';
	*at++ = letters[kind];
	*at++ = '.';
	digest(model, letters[kind], canonical, arena, mac);
	hash_base64url(mac, MAC_BYTES, at);
	size_t len = (size_t)(at - text) + MAC_TEXT_BYTES;
	return (struct slice){arena_memdupz(arena, text, len), len};
}

struct slice identity_event(struct slice source, struct slice id, struct arena *arena)
{
	if (id.len == 0)
		return SLICE_NONE;
	char *text = arena_alloc(arena, source.len + 1 + id.len);
	if (source.len != 0)
		memcpy(text, source.p, source.len);
	text[source.len] = '\0'; /* neither holds a NUL */
	memcpy(text + source.len + 1, id.p, id.len);
	return (struct slice){text, source.len + 1 + id.len};
}

struct slice identity_mark(const struct model *model, struct slice event, struct arena *arena)
{
	if (event.len == 0)
		return SLICE_NONE;
	uint8_t mac[SHA256_BYTES];
	char text[IDENTITY_MARK_BYTES + 1];
	digest(model, 'a', event, arena, mac);
	hash_base64url(mac, MARK_MAC_BYTES, text);
	return (struct slice){arena_memdupz(arena, text, IDENTITY_MARK_BYTES), IDENTITY_MARK_BYTES};
}
