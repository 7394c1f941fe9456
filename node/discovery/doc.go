// Package discovery finds the services of a cluster for one process: engines that are open here are called directly, others over a pool of
// connections to the host that is said to own them.
//
// What it knows of owners are hints: from owner files, from other nodes, from gossip. Its invariant: a hint is never replaced by one of an
// older epoch, and a wrong hint costs a call that fails and a look for news, never more. Looking for news is done once for all who wait,
// at a bounded pace, only for the services that failed, and never waits long for a storage that hangs.
//
// It retries nothing: package volume holds a request and asks [volume.Services] to refresh between attempts.
package discovery
