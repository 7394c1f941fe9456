// Package usage counts what users do with buckets at one gateway, for billing: operations and bytes by bucket, its epoch, user and tag.
// What was counted in a period becomes an object in the service bucket, named s3-usage-<gateway>-<begin of the period>-<seconds>.
//
// The invariant: an operation is in one object, once, and an object that is listed never changes and never comes back after it was
// deleted. So who bills may collect and delete whatever the list shows.
//
// # How an object comes to be
//
// While its period runs, the object is written every minute with the class RUNNING, which hides it. At the end it is written a last time
// without the class: one commit makes it complete and visible. Each writing is conditional on the one before, so that of two that believe
// to own an object (a gateway and the one that gave it up for dead) only one goes on.
//
// What a gateway that crashed left running is finished, as it was last written, by its next start, or an hour after its period was over by any
// other gateway. So a crash loses what was counted since the last writing, and nothing else.
//
// It keeps at most MaxItems counters in memory for a period: with more, the object is ended early and another begun. It adds nothing
// up over periods or gateways; who bills does.
package usage
