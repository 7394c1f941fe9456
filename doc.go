// Package holdfast is the vocabulary of the object store: the identifiers, links, entries and error kinds that every
// other package speaks in, and the two system contracts, [NameService] and [ObjectService].
//
// Its invariant: it imports only the standard library and holds no state, so every package may import it and it can
// never be part of an import cycle. It is not a place for behaviour; behaviour lives in namesrv, objsrv, volume and
// the rooms above them (ARCHITECTURE.md has the map).
package holdfast
