// Package takeover moves the ownership of a service directory to a process: it claims the next epoch, settles what
// earlier claimants left undecided, fences the epoch that was open, copies its store and opens the new one.
//
// Its invariant: at most one epoch of a service is open and unfenced, and the store of a newly opened epoch holds everything
// that any earlier epoch acknowledged. It does not rest on clocks or locks, only on exclusive creation and on the fence. Clocks
// matter for reads alone: a new epoch opens only when the owner of the old one has stopped to answer, by what clocks or heartbeat say.
//
//	claims/<n>            by link(2): n is ours
//	claims/<k>.outcome    for every k < n that has none: void, by link(2). Its claimant can never open it any more.
//	e<e>/fence            of the highest open epoch e grows, and is synced. From then on rule R1 makes its owner acknowledge nothing.
//	e<n>/                 gets a copy of e<e>; it is opened once to prove it whole
//	hosts/<h>/heartbeat   of the owner of e: waited for until it answers no more reads, see outlast
//	claims/<n>.outcome    open, by link(2). Only if this wins is the service ours.
//	owner, host           published, as hints
//
// Power may fail between any two of these. Until the outcome is open, nothing was changed that a later claimant needs,
// and no epoch below the highest open one is ever read again.
//
// When to try is another question: see permit. A restart in place is the same procedure; it only needs no waiting,
// because the machine-wide lock proves the former process gone.
package takeover
