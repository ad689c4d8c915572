/* SPDX-License-Identifier: Apache-2.0
 *
 * Defences that a test can switch off, to show that the simulator's oracle would notice their absence.
 *
 * `if (!mutation_is("no-head-check") && …)` in the code under test reads as the rule itself: in every normal build the
 * macro is the constant false, so the compiler removes the hook and its text. Only tests/sim builds with -DLR_MUTATION,
 * and there exactly one name (or none) is set per run. The names, what each one breaks and how soon it is caught are
 * listed in tests/sim/mutations.def; a name that is not in that list fails the simulator's start.
 *
 * In daemon/:
 *   no-head-check            a read is used whatever its head is
 *   no-overlay               decisions see only the values read
 *   drop-overlay-at-ack      a batch's layer goes when its apply is acknowledged, though older reads are undecided
 *   keep-overlay-after-abort layers of aborted batches stay
 *   drop-committed-overlay   an abort drops the committed, not yet applied layers too
 *   no-rewind                after an abort the consumer is not sought back
 *   no-ring-restore          after an abort the rings keep the turns of the aborted batches
 *   send-queued-after-abort  jobs of an old attempt are sent
 *   send-closed-shard        jobs of a closed shard object are sent
 *   token-at-commit          the group's newest token is used instead of the batch's
 *   no-claim                 a shard opens without the claim transaction (same epoch, no barrier)
 *   no-barrier               the claim writes no barrier record; reading stops at what is the end just then
 *   epoch-not-in-head        heads are compared without their epoch, a claim does not raise it
 *   final-head-first         a rebuild sets the final head before its chunks
 *   no-chain-check           a catch-up is applied without recomputing the chain
 *   slow-rebuild-unnoticed   a rebuild that read for longer than delete.retention.ms is used
 *   expected-head-last-applied  an apply expects the last applied head, not its batch's predecessor
 *   rebuild-twice-per-claim  a second rebuild under the same epoch may begin
 *   no-renew                 the producer is kept after a re-sent request
 * In the models of tests/sim:
 *   no-cas                   apply and rebuild scripts do not compare the head
 *   apply-head-first         the apply script writes the head before the values
 *   unstable-offsets         committed offsets are answered while a transaction on them is pending
 */
#ifndef LR_DAEMON_MUTATION_H
#define LR_DAEMON_MUTATION_H

#ifdef LR_MUTATION
#include <stdbool.h>
/* True when the run in progress has switched this defence off. Defined by tests/sim. */
bool mutation_is(const char *name);
#else
#define mutation_is(name) 0
#endif

#endif
