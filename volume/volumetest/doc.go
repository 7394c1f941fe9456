// Package volumetest proves a volume: [Suite] runs it on any services against a reference model, [Model], a plain map, and
// [Faults] loses calls and replies on the way to a name server.
//
// Its invariant: the model knows nothing of directories, servers or caches, so what it agrees with cannot depend on
// them. It is for tests only.
package volumetest
