// Package cluster breaks clusters: real nodes of the real binary on hosts of package lab, over a replicated filesystem that is itself
// broken, while S3 clients work through the gateways of all hosts and package history keeps the record.
//
// Each drill is a test of its own kind of loss and says in the end the same: everything that clients were told is explained by one store that
// does one thing at a time, every byte that was acknowledged is read back through every gateway, and no request of a client that tries
// again had to be given up. How long clients waited is printed, not judged: docs/failover.md quotes it.
//
// Nothing runs without HOLDFAST_CLUSTER=1, which `make cluster` sets: it takes root, tests/cluster/setup.sh and some minutes.
package cluster
