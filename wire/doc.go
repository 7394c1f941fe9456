// Package wire is what the RPCs of all services have in common when one node talks to another: how errors travel and
// what a lost reply means, the limits and options of a connection, and which services answer in a process.
//
// Its invariant: both kinds of services, and both sides of a connection, agree on it, since name servers and object servers
// share listeners and connections. It holds no messages and no conversions; those are in namesrv/namerpc and
// objsrv/objrpc, each next to its contract. It opens no connection and starts no goroutine.
package wire
