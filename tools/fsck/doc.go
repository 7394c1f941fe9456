// Package fsck checks a volume's names against its bytes, both ways: every link of every version, part and unfinished upload
// must lead to an object of that size and checksum, and every object must be linked by exactly one name or be on its way
// to be freed.
//
// Its invariant: without --repair it changes nothing that a user or an operator could see; with it, it gives up only
// bytes that no name links to and whose fate a name server has durably decided (R5). It never removes a name: what lost its
// bytes is reported, and the decision is the operator's.
//
// It works on the contracts alone, so that it sees what a gateway would see, and it works while others write. What makes a
// finding certain then:
//
//   - A link without its object: the object was not there when it was asked for, and the name still held the link after
//     that. Bytes go after their name, and ids are never used twice, so this cannot be a deletion under way.
//   - An object without a link: it is older than the guard period at the beginning of the check, its home slot says
//     that it is committed, and two walks over all names did not meet it, after which it is still there and still
//     committed. Younger objects may be about to get their name; they are counted as waiting and nobody is asked
//     about them, since the question dooms what nobody committed.
//   - An object with two names: a second walk met it under both, and both still held it after that. A link moves only
//     from an unfinished upload to its name, which is why each walk reads a bucket's uploads before its names, and why
//     the holders are asked again in the end.
//
// Memory: 16 bytes per link, [MaxSuspects] suspects, and a page per level of directories. What does not fit is not
// looked at a second time, and the report says so.
//
// It is not a check of the engines' own books; they have theirs, and the command has them checked when it opened the
// engines itself.
package fsck
