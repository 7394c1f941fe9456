// Package history loads an S3 store through several gateways, records what its clients were told and when, and checks that one store
// that does one thing at a time could have said so: linearizability, key by key, with porcupine.
//
// What is an operation of a history is one attempt, not what a client wanted: a put that is tried three times is three puts of the same
// content, of which none to all took effect. An attempt without an answer stays unknown for ever: it may take effect at any later time or
// never. Only an attempt whose connection was never made is known to have done nothing, and is left out; so are reads that failed.
//
// Contents are made from a number, the [Value], which a reader finds at the beginning and by which it checks every byte. A listing is a read
// of each key below its prefix: of those it names, by their ETag, and of those it does not name.
//
// Its invariant: the checker has no tolerance. Every history it accepts has an order that explains it, and for every one it refuses it
// shows the key and all that was done to it.
package history
