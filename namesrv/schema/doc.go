// Package schema holds the keys and values of a name server's store: how directories, entries, uploads, fates and the
// change log are written into Pebble, and read back. FORMAT.md in the directory above has the byte diagrams.
//
// Its invariants: the byte order of keys is the order of what they name, so that scans are listings; every value can
// grow by tagged fields that older code skips, and keeps where it rewrites a value; no decoder panics or allocates
// more than its input justifies, whatever it is given. It holds no state and decides nothing: what a change
// means is decided in namesrv.
package schema
