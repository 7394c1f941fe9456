// Package node is the process of a host: it takes ownership of the services bound to it, opens their engines, starts the
// gateway and the operator's HTTP endpoint on top, and closes all of it in the reverse order.
//
// Its invariant: an engine is only ever opened under an epoch that this process claimed, and it is closed before the
// claim is released. It holds no data of its own and decides nothing about S3.
package node
