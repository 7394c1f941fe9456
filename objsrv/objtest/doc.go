// Package objtest is what proves a [holdfast.ObjectService]: a conformance suite that runs against every implementation,
// an implementation in memory, and a fence for tests.
//
// The suite is the contract's comments executed; where the two differ, the contract is right.
package objtest
