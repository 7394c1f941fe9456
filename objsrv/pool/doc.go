// Package pool keeps the bytes of objects in a few huge files, in blocks of twelve sizes from 4 KiB to 8 MiB, and knows
// which blocks are free. It is the only door of the object server to the mount for object bytes; DESIGN.md and FORMAT.md
// in the directory above describe the files.
//
// Its invariant: a block is handed out only if no durable record can refer to it and no write to it can still be under
// way. So a block that was freed comes back only through [Set.Recycle], which the caller calls once the free is durable
// and no reader is left (R3), a block whose write failed never comes back in this process (quarantine), and files of epochs
// that may still have a living writer are not touched at all (R4).
//
// It does not know objects: what the blocks of an object are, is said by the index, and block headers are there for
// the day when the index is lost.
package pool
