/* SPDX-License-Identifier: Apache-2.0
 *
 * Diagnostics for programs (`leadctl check --json`): one JSON object a line, the last one is the verdict.
 *
 *     {"severity":"error","code":"LR015","word":"unknown_reference","message":"…","file":"conf.d/x.yaml","line":14,
 *      "column":11,"length":4,"label":"did you mean `dach`?","second":{"file":…,"line":…,"column":…,"length":…,"label":…},
 *      "notes":["…"],"help":"…"}
 *     {"verdict":"bad","errors":1,"warnings":0,"hidden":0}
 *
 * Lines and columns count from 1, columns in code points; `length` in bytes, within the line. What does not apply is absent.
 */
#ifndef LR_RULES_JSON_DIAG_JSON_H
#define LR_RULES_JSON_DIAG_JSON_H

struct diags;
struct strbuf;

void diags_render_json(struct diags *diags, struct strbuf *out);

#endif
