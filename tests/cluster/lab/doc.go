// Package lab makes hosts in network namespaces over a real shared filesystem, for tests of whole clusters on one machine, and breaks
// what lies between them.
//
// Each host has a namespace with two interfaces: one in the network of its peers (198.18.1.0/24), one in that of the storage
// (198.18.2.0/24). Both networks are bridges in a namespace of their own, the hub, and nothing is attached to the machine's network.
// A host is cut off by taking its port off a bridge: links stay up and packets are lost in silence, as behind a broken switch. Since the
// networks are two, a host can lose its peers and keep its mount, and the other way round.
//
//	     hub: bridge "peers"               bridge "store" 198.18.2.254
//	        │p1      │p2      │p3             │s1      │s2      │s3
//	┌───────┴┐ ┌─────┴──┐ ┌───┴────┐
//	│ host 1 │ │ host 2 │ │ host 3 │   198.18.1.N, and 198.18.2.N for its storage server and its mount
//	└────────┘ └────────┘ └────────┘
//
// Its invariant: all that a lab is, processes, mounts, namespaces and files, is found by the name of its directory, and the living test
// holds a lock on that. So [Lab.Close] needs no book of what was made, and a new lab first removes what a crashed test left.
//
// It is no container runtime: hosts share the machine's files, process ids and clock. It needs root, iproute2 and util-linux, and what
// each kind of storage needs (tests/cluster/setup.sh installs all of it).
package lab
