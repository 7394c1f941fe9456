// Package nametest has what proves implementations of [holdfast.NameService]: the conformance [Suite] that all of them
// pass, and [Memory], the implementation in memory that tests of other packages use and that the engine is compared
// with, operation by operation.
//
// Memory's invariant is that it is obviously right: plain maps, sorted when listed, one mutex. It is not fast and
// keeps nothing.
package nametest
