// Package fsck checks a volume's names against its bytes, both ways: every link of every version, part and unfinished upload
// must lead to an object of that size and checksum, and every object must be linked by exactly one name or be on its way
// to be freed.
//
// Its invariant: without --repair it changes nothing that a user or an operator could see; with it, it gives up only
// bytes that no name links to and whose fate a name server has durably decided. It never removes a name: what lost its
// bytes is reported, and the decision is the operator's.
//
// It works on the contracts alone, so that it sees what a gateway would see. It is not a check of the engines' own books;
// they have theirs.
package fsck
