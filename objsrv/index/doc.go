// Package index is the object server's record of its objects: which blocks hold their bytes and what the checksums of
// those bytes are. It is kept in a Pebble store together with the bitmaps of the pools' regions, so that a record and
// the space it takes change in one batch. FORMAT.md in the directory above has the rows.
//
// Its invariant: every bit set in a bitmap row belongs to exactly one block of one record, and the counters equal the
// records; [Store.Check] proves it from one snapshot. A record is written once and changes only when defragmentation
// moves a block.
//
// It is not a cache and takes no decisions: when batches are made and what is acknowledged is the engine's business.
package index
