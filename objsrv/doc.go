// Package objsrv is the object server: the engine behind [holdfast.ObjectService]. It stores the bytes of objects in pool
// files on the mount (objsrv/pool) and remembers where in a Pebble store (objsrv/index).
//
// Its invariant: what was acknowledged is durable, was written under an unfenced epoch, and reads back with the checksums
// it was written with or not at all; space is used again only when nothing durable, nobody reading and no late write
// can refer to it. DESIGN.md beside this file says how that is kept, FORMAT.md what lies on the mount. The rules R1 to R6
// of ARCHITECTURE.md are named where they bite.
//
// It does not know names, and never decides that an object's time is over: callers of Free and the name servers asked by the
// sweep do.
package objsrv
